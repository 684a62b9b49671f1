namespace Cllm.Model.Corpus;

/// <summary>Stories about doing something: baking, a race, a garden, the way home, a riddle in the night.</summary>
internal static class PlotsOfDoing
{
    // What grows, and what becomes of it.
    private static readonly string[][] Plants =
    [
        ["sunflower", "The bees came to visit, and in autumn there were seeds for all the birds."],
        ["pumpkin", "{h} and {f} made [a big pot of soup|pumpkin soup] and asked all their neighbors to come."],
        ["rose bush", "{h} gave the first red rose to {f}."],
        ["bean plant", "{h} and {f} filled three baskets with beans and shared them with everybody."],
        ["apple tree", "It was still small, but there was one red apple on it. {h} and {f} shared it."],
    ];

    private static readonly string[][] Sounds =
    [
        ["tap", "I was knocking on all the trees, because I could not find my door in the dark."],
        ["hoo", "I was blowing on my new horn, and I did not want to wake anybody at home."],
        ["crunch", "I was eating a carrot, and I could not stop."],
        ["drip", "My roof has a hole, so I am catching the rain in my pot."],
        ["snip", "I was cutting paper stars, and I wanted to surprise you all."],
    ];

    private static readonly string[][] Vessels =
    [
        ["raft", "They pushed it into the water, and it floated! The three friends sailed all the way to {place}."],
        ["tree house", "They climbed up, and they could see as far as {place}."],
        ["swing", "First {h} had a turn, then {f}, then {o}, higher and higher."],
        ["sled", "When the snow came, the three friends raced down the hill on it."],
        ["bridge", "Now everybody could cross the stream without getting wet feet."],
    ];

    private static readonly Plot Baking = new(
        "[{h} bakes a {cake}|no {missing} for the {cake}|a {cake} for {f}|{h} needs {missing}]",
        """
        {begin} {Daytime} {h.he} wanted to bake a {cake} for {h.his} [friend|good friend|best friend] {f} the {f.kind}. But when {h.he}
        looked [on the shelf|in the cupboard], there was no {missing}. "{oh}," said {h}. "[I cannot bake without {missing}.|A {cake}
        without {missing} is no {cake}.]"

        So {h} {h.went} to {o} the {o.kind}, who lived near {elsewhere}. "[Good morning|Hello], {o}," said {h}. "[May I have some
        {missing}?|Can you give me some {missing}?]" "[Gladly|Of course]," said {o}, "but I have so much to do today. Will you help me
        [{task}]?"

        {h} helped {o} {task}. It was [hard work|a lot of work], but {h.he} did not stop until [it was done|all was done]. "[Well
        done|You are a good helper]!" said {o}, and {o.he} gave {h} a big [jar|bag|bowl] of {missing}.

        Then {h} ran home and baked the {cake}. Soon the whole house smelled [sweet|wonderful]. {h} called {f}, and {h.he} called {o}
        too. They sat [around the table|in the garden] and ate until [only crumbs were left|they were full]. "[This is the best {cake}
        in the world|I have never eaten a better {cake}]," said {f}.

        [{h} learned that good things need a little work.|{h} smiled, because the work had been worth it.|"The best part was making it
        together," said {h}.|And there was one piece left for breakfast.]
        """,
        scene =>
        {
            scene.Cast("h");
            scene.Cast("f");
            scene.Cast("o");
            scene.Set("cake", scene.Pick(["honey cake", "cherry pie", "carrot cake", "plum cake"]));
            scene.Set("missing", scene.Pick(["flour", "milk", "butter", "sugar", "cream"]));
            scene.Set("task", scene.Pick(
                ["sweep the floor", "water the flowers", "carry the wood", "wash the windows", "paint the fence", "feed the hens"]));
        });

    private static readonly Plot Race = new(
        "[the big race|{h} and the race|who will win?|{h} stops to help]",
        """
        {Daytime} there was a big race from {place} to {elsewhere}. The [winner|first one] would get a {thing}. {h} the {h.kind} [wanted
        to win more than anything|had been running every day for weeks]. {f} the {f.kind} and {o} the {o.kind} were there, too.

        "[Ready, steady, go|One, two, three, go]!" called [the old goat|the crow]. They all ran. {o} was [fast|quick], but {h} was
        faster. [Soon|After a while] {h} was in front. [The end was near.|{h.He} could already see the {thing}.]

        Then {h} heard a cry. {f} had [fallen into the mud|slipped on a stone|hurt {f.his} foot]! {o} ran past and did not stop. {h}
        looked at the {thing}, and {h.he} looked back at {f}. [Then {h.he} turned around.|And {h.he} did not think twice.] "[Hold on to
        me|Give me your hand|I will help you]," said {h}. Slowly, side by side, they walked on.

        {o} won the race. {h} and {f} came last. But [everybody clapped for them|everybody cheered when they saw them], and {o} [looked
        down at {o.his} feet|grew quiet]. "[I should have stopped, too|You are the real winner]," {o.he} said, and {o.he} gave the
        {thing} to {h}.

        "[We will share it|It belongs to all three of us]," said {h}. [{h} learned that there are better things than being first.|And
        all three of them went home as friends.|A kind heart wins every race.|That was the best race of all.]
        """,
        scene =>
        {
            scene.Cast("h", kind => kind.Skill != Skill.Flies);
            scene.Cast("f", kind => kind.Skill != Skill.Flies);
            scene.Cast("o", kind => kind.Skill != Skill.Flies);
            scene.SetThing(["cup", "medal", "crown", "ribbon", "bell"]);
        });

    private static readonly Plot Seed = new(
        "[the little seed|{h} and the seed|{h} must wait|the {plant} of {h}]",
        """
        {begin} {Daytime} {h.he} found a little seed {spot}. "[What will it be?|I wonder what is inside!]" said {h}. {h.He} put it into
        the earth next to {h.his} home and gave it some water.

        The next morning {h} looked, but there was nothing. {h.He} looked [again at noon|in the afternoon], and there was still nothing.
        "[Grow, little seed, grow!|Why does it not grow?]" said {h}. [{h.He} wanted to dig it up.|{h.He} was not good at waiting.]

        "[Do not dig it up|Let it sleep]," said {f} the {f.kind}, who knew a lot about gardens. "A seed needs [sun and
        rain and time|water, sun
        and a lot of time]. [Sing to it while you wait.|Good things grow slowly.]"

        So {h} waited. It rained, and the sun came out. {h.He} [sang to the seed every day|gave it water every day]. And one morning
        there was a tiny green leaf! "[Look|Come and see]!" cried {h}. {f} came and smiled.

        The leaf grew and grew, and by the end of summer it was {a:plant}, [as tall as a door|bigger than {h}]! {harvest}

        [{h} learned to wait.|"Now I know how to wait," said {h}.|And {h} kept one seed for the next spring.|{h} learned that good
        things take time.]
        """,
        scene =>
        {
            scene.Cast("h");
            scene.Cast("f");
            string[] plant = scene.Pick(Plants);
            scene.Set("plant", plant[0]);
            scene.Set("harvest", plant[1]);
        });

    private static readonly Plot WayHome = new(
        "[{h} finds the way home|lost in the {weather}|{h} and the {weather}|follow the {guide}]",
        """
        {begin} {Daytime} {h.he} went out to pick {berries}. {h.He} went from one bush to the next, farther and farther. [When the
        basket was full|When {h.he} looked up], everything was [white|gray]. A thick {weather} had come, and {h} could not see the way.

        "[Where am I?|Which way is home?]" {h} asked. [Nobody answered.|Only the wind answered.] {h.He} walked to the left, and {h.he}
        walked to the right, but all the trees looked the same. {h} was [cold and afraid|tired and alone].

        Then {h.he} heard a [soft|friendly] voice. "[Are you lost?|Who is there?]" It was {f} the {f.kind}. "[I cannot find my way
        home|I want to go home]," said {h}. "[Do not be afraid|Dry your tears]," said {f}. "[I know this place well.|I have lived here
        all my life.] We only have to follow the {guide}. [It always shows the way.|It leads to {place}.]"

        They walked and walked, side by side, and {f} told [funny stories|a story about the moon]. [At last|Soon] {h} saw a light in a
        window. "[That is my home|I am home]!" cried {h}. {h.His} {h.parent} [stood at the door|came running out] and took {h.him} into
        {h.his} arms.

        {thanks} "[Come in and eat with us|Stay for supper]," said {h.his} {h.parent} to {f}. They ate [warm soup|soup and bread] and a
        bowl of {berries}. [From then on, {h} never went too far alone.|{h} learned that it is good to ask when you are lost.|After
        that, {h} and {f} often went for walks together.]
        """,
        scene =>
        {
            scene.Cast("h", kind => kind.Skill != Skill.Flies);
            scene.Cast("f");
            scene.Set("weather", scene.Pick(["fog", "snow", "mist"]));
            scene.Set("guide", scene.Pick(["stream", "old wall", "sound of the bell", "row of white stones"]));
        });

    private static readonly Plot Noise = new(
        "[a noise in the night|{sound}! {sound}! {sound}!|who is there?|{h} hears something]",
        """
        {begin} One night {h.he} could not sleep. {Sound}, {sound}, {sound}! There was a [strange|funny] noise. "[What is that?|Who is
        there?]" [whispered|asked] {h}, but nobody answered.

        {h} pulled the blanket over {h.his} head. {Sound}, {sound}, {sound}! There it was again. {h} [could not stand it any more|took a
        candle] and {h.went} next door to {f} the {f.kind}. "[There is a monster outside|Something is out there]!" said {h}. "[Then let
        us look|Let us go and see]," said {f}. "[Two are braver than one.|I will come with you.]"

        They walked [slowly|very quietly] around {place}. [It was dark, and the moon was thin.|The wind was cold.] {Sound}, {sound},
        {sound}! The noise came from {spot2}. {h} held up the [candle|lamp], and there sat {o} the {o.kind}, all alone!

        "[I am sorry|Please do not be angry]," said {o}. "{cause}" {h} [laughed|had to laugh]. "[And I thought that you were a
        monster|You are a very small monster]!" {h.he} said.

        {h} [took both of them home|asked them in] and made hot [tea|milk with honey]. [They told stories until the sun came up.|Soon
        all three of them were asleep by the fire.] [{h} learned that most monsters are only friends in the dark.|After that night, {h}
        was not afraid of noises any more.|"Next time, just knock at my door," said {h} to {o}.]
        """,
        scene =>
        {
            scene.Cast("h");
            scene.Cast("f");
            scene.Cast("o");
            string[] sound = scene.Pick(Sounds);
            scene.Set("sound", sound[0]);
            scene.Set("cause", sound[1]);
            scene.Set("spot2", scene.Pick(["behind a bush", "behind the old oak tree", "behind the well", "behind the garden wall"]));
        });

    private static readonly Plot Boat = new(
        "[{h} builds a {vessel}|a {vessel} for three|{h} and the {vessel}|three good friends]",
        """
        {begin} {Daytime} {h} had a great idea. "[I will build a {vessel}|Let us build a {vessel}]!" {h.he} said. {h.He}
        [gathered|found] some wood near {elsewhere} and began.

        But it was not easy. [The first {vessel} fell to pieces.|The first {vessel} was crooked and broke.] {h} tried again, and it
        [broke again|fell down again]. "[I give up|I will never finish it]," said {h}, and {h.he} kicked a stone.

        {f} the {f.kind} and {o} the {o.kind} [had seen it all|were watching]. "[May we help?|Can we do it together?]" they asked. "I
        have [a rope|some strong rope]," said {f}. "And I have [a hammer and nails|a good hammer]," said {o}. So {h} held the wood, {f}
        tied the rope, and {o} hit the nails. [They sang while they worked.|They worked until noon.]

        [In the evening|At last] the {vessel} was ready. They painted it {color}. {use} "[Hooray|We did it]!" they cried.

        [{h} learned that work is easier with friends.|{h} learned not to give up.|"Alone I made two broken ones," said {h}. "Together
        we made a good one."|And it lasted for many, many summers.]
        """,
        scene =>
        {
            scene.Cast("h");
            scene.Cast("f");
            scene.Cast("o");
            string[] vessel = scene.Pick(Vessels);
            scene.Set("vessel", vessel[0]);
            scene.Set("use", vessel[1]);
        });

    /// <summary>All of them.</summary>
    public static readonly Plot[] All = [Baking, Race, Seed, WayHome, Noise, Boat];
}
