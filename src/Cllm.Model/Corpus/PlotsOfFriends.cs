namespace Cllm.Model.Corpus;

/// <summary>Stories about friends: sharing, fear, a newcomer, a birthday.</summary>
internal static class PlotsOfFriends
{
    // What is feared; how it comes; what the friend says; what the hero does; how it is afterwards.
    private static readonly string[][] Fears =
    [
        ["the dark", "One night the lamp went out, and {h.his} room was as black as coal.",
            "[Look out of the window.|Look up.] The dark is where the stars live.", "{h.He} looked up and saw a hundred little stars.",
            "From then on, {h} looked at the stars every night and said good night to them."],
        ["thunder", "{Daytime} big gray clouds came over the hill. Boom, went the thunder.",
            "[Count with me after the flash.|Thunder is only the clouds clapping their hands.] It is loud, but it cannot hurt us in here.",
            "{h.He} counted one, two, three, and then the thunder came.", "When the next storm came, {h} counted all by {h.him}self."],
        ["deep water", "{Daytime} all the friends jumped into the lake. Only {h} stayed on the bank.",
            "[Hold on to me.|I will stay right beside you.] First we only get our feet wet.",
            "{h.He} put one foot into the water, and then the other.",
            "[At the end of summer|After a few weeks], {h} could swim across the lake."],
        ["the high bridge", "{Daytime} they all wanted to go to {place}, but the way led over a high bridge.",
            "[Do not look down.|Look only at me.] We will take one small step, and then one more.",
            "{h.He} took one small step, and then one more, and soon {h.he} was on the other side.",
            "On the way back, {h} was the first one on the bridge."],
        ["the old house on the hill", "{Daytime} {h.his} ball rolled through the door of the old house.",
            "[We will go in together.|I will go with you.] Maybe somebody nice lives there.",
            "{h.He} knocked and went in. There was only an old cat, and she was glad to have a guest.",
            "From then on, {h} visited the old cat every week."],
    ];

    private static readonly string[][] Gifts =
    [
        ["daisies", "a crown of daisies"],
        ["soft feathers", "a warm little pillow"],
        ["shiny stones", "a necklace of shiny stones"],
        ["red and yellow leaves", "a picture of red and yellow leaves"],
        ["small shells", "a box with shells all over it"],
        ["pieces of wood", "a small wooden bird"],
    ];

    private static readonly Plot Sharing = new(
        "[{h} learns to share|{h} and the {food}|one {food} for two|a gift in the rain]",
        """
        {begin} {Daytime} {h.his} {h.parent} gave {h.him} {a:food}. It [smelled so good|looked so good|was big and sweet]. "[I will eat
        it all by myself|This is only for me]," said {h}.

        {h.He} {h.went} to {elsewhere} and sat down [in the shade|on a flat stone|in the sun]. Then {f} the {f.kind} came by. {f} looked
        at the {food}. "[I have not eaten today|I am so hungry|My basket is empty]," {f.he} said. {h} [held the {food} tight|looked
        away|thought for a long time]. [It was only one {food}, and {h.he} was hungry too.|Should {h.he} share it?]

        [Then {h} saw how thin {f} was.|Then {h} looked into the sad eyes of {f}.] {h} broke the {food} into two pieces. "[Here|Please,
        take this]," {h.he} said. "One piece is for you, and one is for me." {f} [smiled|was very happy]. "[Thank you! You are so
        kind.|That is the best {food} of my life!]"

        [Some days later|The next day|A week later] it began to rain, and {h} was far from home. {h.He} was [cold and wet|wet from head
        to toe]. "Come in!" called a voice. It was {f}! {f} gave {h} a [warm blanket|soft towel and a warm blanket] and [a bowl of
        soup|a cup of hot tea]. "[You shared with me, and now I share with you|Now it is my turn]," said {f}.

        [{h} learned that sharing makes everything taste better.|{h} was glad that {h.he} had shared.|From then on, {h} always broke
        {h.his} {food} into two pieces.|And {h} thought that half {a:food} and a friend is more than a whole one.]
        """,
        scene =>
        {
            scene.Cast("h");
            scene.Cast("f");
        });

    private static readonly Plot Afraid = new(
        "[brave {h}|{h} and {fear}|{h} is not afraid any more|{f} helps {h}]",
        """
        {begin} {h} [was not afraid of much|liked almost everything], but {h.he} was afraid of {fear}.

        {occasion} {h} [began to shake|shook like a leaf|wanted to hide]. "[I am so afraid!|Please, make it stop!|I cannot do this!]"
        {h.he} said.

        {f} the {f.kind} [heard {h.him}|was near] and came [at once|to {h.him}]. "[I was afraid of it too|It is all right to be
        afraid|You do not have to be alone]," said {f}. "{advice}"

        {h} took a deep breath. {deed} [It was not so bad at all!|And nothing bad happened.|{h.His} heart beat fast, but {h.he} did it.]
        "[I did it|Look at me]!" said {h}. "[You were very brave|I knew that you could do it|I am proud of you]," said {f}.

        {later} [{h} learned that being brave does not mean that you are never afraid.|{h} learned that fear grows small when a friend
        is near.|And {f} was always {h.his} best friend.]
        """,
        scene =>
        {
            // Whoever is afraid of water cannot live in it, and an owl does not mind the night.
            scene.Cast("h", kind => kind.Skill is not (Skill.Swims or Skill.Flies));
            scene.Cast("f", kind => kind.Skill == Skill.Swims);
            string[] fear = scene.Pick(Fears);
            scene.Set("fear", fear[0]);
            scene.Set("occasion", fear[1]);
            scene.Set("advice", fear[2]);
            scene.Set("deed", fear[3]);
            scene.Set("later", fear[4]);
        });

    private static readonly Plot Newcomer = new(
        "[the new friend|{f} is new here|{h} and {f}|a place for {f}]",
        """
        {Daytime} somebody new came to {place}. It was a little {f.kind} named {f}. {f} [did not know anybody|had no friends yet] and
        sat all alone {seat}.

        [The others were playing {game}|Everybody was playing {game}], but nobody asked {f} to play. "[{f.He} is so quiet|We do not know
        {f.him}|{f.He} is not like us]," said {o} the {o.kind}.

        But {h} the {h.kind} looked at {f} and thought, [I would be sad if I were alone|I was new here once, too]. So {h.he} {h.went}
        over and sat down next to {f}. "[Hello|Good morning], I am {h}," {h.he} said. "[Do you want to play with us?|Would you like half
        of my {food}?|Come and play {game} with us!]" {f} [looked up and smiled a little|could not believe it]. "[I would like that very
        much|Oh yes, please]," {f.he} said.

        They began to play {game}, and {f} was [very good at it|the best of all]! {f.He} also knew [a funny song|a new game|many
        stories], and soon all of them were laughing. "[I am sorry|I was wrong]," said {o} to {f}. "I am glad that you are here."

        [{f} was not alone any more.|From that day on, {h}, {f} and {o} played together every day.] [And {h} learned that a friend may
        be waiting in every new face.|And it all began with one kind word.|It takes only one kind word to make a friend.|{h} was proud
        and happy.]
        """,
        scene =>
        {
            scene.Cast("h");
            scene.Cast("f");
            scene.Cast("o");
            scene.Set("seat", scene.Pick(["under the old oak tree", "next to the well", "on the wooden bench", "beside the stream"]));
            scene.Set("game", scene.Pick(["hide and seek", "catch", "tag", "ball"]));
        });

    private static readonly Plot Birthday = new(
        "[a gift for {f}|the best gift|{h} makes a present|{f} has a birthday]",
        """
        {begin} [Tomorrow was the birthday of {h.his} friend {f} the {f.kind}.|{h.His} friend {f} the {f.kind} had a birthday soon.] {h}
        wanted to give {f.him} something nice, but {h.he} had no [money|coins], not even one.

        "[What can I do?|What can I give to {f}?]" {h} asked {h.his} {h.parent}. "[Make something with love|The best gifts are made with
        love]," said {h.his} {h.parent}. So {h} {h.went} to {elsewhere} and gathered {material}. {h.He} worked all
        [day|afternoon|evening], and [at last|in the end] {h.he} had made {gift}.

        The next day everybody came with big [boxes|presents]. {o} the {o.kind} brought a {thing}. {h} looked at {h.his} little gift.
        "[It is so small|It is nothing special]," {h.he} thought, and {h.he} hid it behind {h.his} back.

        "[What do you have there?|Is that for me?]" asked {f}. {h} [slowly|shyly] held it out. {f} opened it, and {f.his} eyes [began to
        shine|grew big]. "[You made this for me?|Did you make it yourself?]" {f.he} asked. "[It is the best gift of all!|I love it more
        than anything!]"

        {f} [kept it for ever|put it next to {f.his} bed|showed it to everybody]. [{h} learned that a gift from the heart is never
        small.|And {h} was the happiest guest at the party.|Then they all ate cake and danced until the evening.]
        """,
        scene =>
        {
            scene.Cast("h");
            scene.Cast("f");
            scene.Cast("o");
            scene.SetThing(Props.Treasures);
            string[] gift = scene.Pick(Gifts);
            scene.Set("material", gift[0]);
            scene.Set("gift", gift[1]);
        });

    /// <summary>All of them.</summary>
    public static readonly Plot[] All = [Sharing, Sharing, Afraid, Afraid, Newcomer, Birthday];
}
