namespace Cllm.Model.Corpus;

/// <summary>Stories about a thing: lost and found, out of reach, broken.</summary>
internal static class PlotsOfThings
{
    private const string Loved =
        "{begin} [More than anything else|Best of all|Of all things], {h.he} loved {h.his} {thing}."
        + " [It was a present from {h.his} {h.parent}.|{h.He} took it everywhere.|There was no other {thing.n} like it."
        + "|{h.His} {h.parent} had made it.]";

    private static readonly Plot Lost = new(
        "[the lost {thing.n}|{h} and the {thing}|where is the {thing.n}?|{h} looks for a {thing.n}]",
        Loved + """


        But {daytime} the {thing.n} was [gone|lost]. {h} looked [under the bed|behind the door|in every corner|under the table], but it
        was not there. "{oh}!" [cried|said] {h}. "[Where is my {thing.n}?|I cannot find my {thing.n}!|My {thing} is lost!]" {h.He} was
        {sad}.

        {h} {h.went} to {elsewhere} and met {f} the {f.kind}. "[Have you seen my {thing}?|Did you see a {thing} today?]" asked {h}.
        "[No, I have not|I am sorry, I have not]," said {f}. "But I will help you look. [Two can look better than one.|We will find it
        together.|Do not cry.]"

        They looked {otherspot}, but they only found [an old boot|a round stone|a sleepy snail|a long feather|a broken cup]. [Then {f}
        had an idea.|Then {f} stopped.] "[Where did you play yesterday?|Where were you last night?|Where did you sit and rest?]" {f.he}
        asked. {h} [thought and thought|closed {h.his} eyes and thought]. "[I know|I remember]!" {h.he} said. "I was {spot}!"

        They {f.ran} there as fast as they could. And there it was! The {thing} [lay|was lying] {spot}. {h} was {happy}. {thanks}
        {welcome}

        [From that day on, {h} always put the {thing.n} back in its place.|{h} learned that it is good to stop and think.|{h} learned
        that a friend can help when you are sad.|{evening}]
        """,
        scene =>
        {
            scene.Cast("h");
            scene.Cast("f");
            scene.Set("f.ran", scene.Pick(["ran", "hurried"]));
            scene.SetThing(Props.Treasures);
        });

    private static readonly Plot TooHigh = new(
        "[the {thing.n} in the tree|{h} and the tall tree|too high!|{f} helps {h}]",
        Loved + """


        {Daytime} {h} was playing near {place}. [A strong wind came|The wind began to blow|Suddenly the wind blew hard] and carried the
        {thing.n} up into a tall tree. "{oh}!" cried {h}. "[It is too high for me!|How can I get it down?|I will never get it back!]"

        {h} jumped as high as {h.he} could, but the branch was [too high|much too high]. {h.He} threw a [stick|pine cone] at the
        {thing.n}, but it did not fall. {h} [sat down and began to cry|was {sad}|did not know what to do].

        Just then {f} the {f.kind} came by. "[Why are you so sad?|What is the matter?|Can I help you?]" asked {f}. "My {thing.n} is in
        the tree, and I cannot reach it," said {h}. "[That is easy for me|Let me try|I can do that]," said {f}. {f.He} {up}, took the
        {thing} and brought it down. {h} was {happy}.

        {thanks} {welcome}

        [{h} learned that everyone is good at something.|"You are good at [high places|trees], and I am good at games," said {h}. "Let
        us play!"|From then on, {h} and {f} were best friends.|{evening}]
        """,
        scene =>
        {
            scene.Cast("h", kind => kind.Skill is not (Skill.Flies or Skill.Climbs));
            Kind helper = scene.Cast("f", kind => kind.Skill is Skill.Flies or Skill.Climbs);
            scene.Set("up", helper.Skill == Skill.Flies
                ? "[flew up to the branch|spread {f.his} wings and flew up]"
                : "[climbed up the tree|climbed from branch to branch]");
            scene.SetThing(["kite", "hat", "scarf", "ribbon", "balloon", "umbrella"]);
        });

    private static readonly Plot TooDeep = new(
        "[the {thing.n} in the water|{h} and the deep water|{f} can swim|{h} and {f} at the {water}]",
        Loved + """


        {Daytime} {h} went down to the {water} to play. But {h.he} [slipped on a wet stone|was not careful|ran too fast], and the
        {thing.n} fell into the water. [Down it went.|It drifted away from the bank.|Splash!] "{oh}!" cried {h}. "[I cannot swim!|The
        water is so deep!|My {thing.n}! My {thing.n}!]"

        {h} tried to reach it with a long [stick|branch], but it was [too short|not long enough]. {h.He} waited for the water to bring
        it back, but it did not.

        A head came out of the water. It was {f} the {f.kind}. "[What are you looking for?|Why are you so sad?|Did you lose something?]"
        asked {f}. "My {thing} fell into the {water}," said {h}. "[Wait here|I will be right back|Leave it to me]," said {f}. {f.He}
        took a deep breath and [dived|swam] down to the bottom. [One, two, three,|Soon] {f.he} was back with the {thing.n}. It was wet,
        but it was not broken.

        {thanks} {welcome} {h} [put the {thing.n} in the sun to dry|dried the {thing.n} with a soft cloth].

        [From then on, {h} was careful near the water.|The next day {f} began to teach {h} how to swim.|{h} learned that a good friend
        is a real treasure.|{evening}]
        """,
        scene =>
        {
            scene.Cast("h", kind => kind.Skill is not (Skill.Swims or Skill.Flies));
            scene.Cast("f", kind => kind.Skill == Skill.Swims);
            scene.Set("water", scene.Pick(["lake", "river", "pond"]));
            scene.SetThing(["ball", "boat", "bucket", "bell", "whistle", "basket", "button"]);
        });

    private static readonly Plot InTheHole = new(
        "[the deep hole|down in the hole|{h} and the {thing}|{f} digs a tunnel]",
        Loved + """


        {Daytime} {h} dropped the {thing.n} near {place}. It rolled and rolled, and then it fell into a deep, dark hole. "{oh}!" said
        {h}. "[The hole is too narrow for me.|I cannot see the bottom.|How can I get it out?]"

        {h.He} [reached into the hole|reached down with a stick], but the {thing.n} was too far down. {h} was {sad}. [Many friends came,
        but nobody could help.|A crow came by, but the crow could not help.]

        Then {f} the {f.kind} came along. "[I am good at digging|Digging is what I like best|Let me dig]," {f.he} said. {f.He} dug [all
        morning|and dug], and the earth flew [left and right|into the air]. At last {f} came out of the hole, all [brown|covered with
        earth], and held up the {thing}.

        {thanks} {welcome} "[Now you need a bath|You look like a lump of earth]!" said {h}, and they both laughed.

        [{h} learned that there is always a way when friends help.|That evening {h} brought {f} a warm {food}.|From then on, {h} held on
        to the {thing.n} with care.|{evening}]
        """,
        scene =>
        {
            scene.Cast("h", kind => kind.Skill != Skill.Digs && kind.Name != "mouse");
            scene.Cast("f", kind => kind.Skill == Skill.Digs);
            scene.Set("food", scene.Pick(["cookie", "pancake", "bun"]));
            scene.SetThing(["ball", "bell", "button", "ring", "marble", "whistle"]);
        });

    private static readonly Plot TooHeavy = new(
        "[the fallen tree|{f} the strong {f.kind}|{h} and the heavy log|stuck under a log]",
        Loved + """


        One night there was a great storm. In the morning an old tree had fallen, and {h.his} {thing.n} was stuck under it. "{oh}!"
        cried {h}. {h.He} [pushed and pulled|pushed as hard as {h.he} could], but the tree did not move.

        {o} the {o.kind} came to help. They pushed together, one, two, three! But the tree still did not move. "[It is too heavy for
        us|We are too small]," said {o}.

        "[Who is big and strong?|Who could help us?]" asked {h}. "{f} the {f.kind}!" said {o}. So they {h.ran} to {elsewhere} and found
        {f} there. "[Please help us!|Can you help us?|We need you!]" said {h}. {f} was [happy to help|glad that they asked].

        {f} took a deep breath and pushed. {h} and {o} pushed too. Slowly, slowly, the tree [rolled away|began to roll]. There was the
        {thing}, and it was not broken!

        {thanks} "We did it together," said {f}.

        [{h} learned that it is brave to ask for help.|{h} learned that many small pushes make a big one.|That evening the three friends
        shared {a:food}.|They were all tired, but they were happy.]
        """,
        scene =>
        {
            scene.Cast("h", kind => kind.Skill != Skill.IsStrong);
            scene.Cast("o", kind => kind.Skill != Skill.IsStrong);
            scene.Cast("f", kind => kind.Skill == Skill.IsStrong);
            scene.Set("h.ran", scene.Pick(["ran", "hurried"]));
            scene.SetThing(["wagon", "basket", "drum", "bucket", "boat", "hat"]);
        });

    private static readonly Plot Broken = new(
        "[the broken {thing.n}|{h} tells the truth|{h} and the {thing}|a hard thing to say]",
        """
        {begin} [{h.His} best friend was {f} the {f.kind}.|{h} had a good friend, {f} the {f.kind}.] {f} had a {thing} [and was very
        proud of it|that {f.he} loved very much].

        {Daytime} {f} was away, and {h} wanted to [play with|look at|hold] the {thing.n}. [Only for a moment, {h.he} thought.|Nobody
        will see, {h.he} thought.] But it fell down and broke! "{oh}!" said {h}. {h.He} hid the broken {thing.n} {spot} and went home.

        [Soon|After a while] {f} came back. ["Where is my {thing.n}?" {f.he} asked. "I do not know,"|"Have you seen my {thing}?" {f.he}
        asked. "No, I have not,"] said {h}. But {h.he} felt [a heavy stone in {h.his} tummy|very bad]. {h.He} could not eat, and {h.he}
        could not sleep.

        In the morning {h} {h.went} to {f}. "[I must tell you something|I did not tell you the truth]," said {h}. "I broke your
        {thing.n} and hid it {spot}. I am so sorry." {f} was [sad|quiet] for a moment. Then {f.he} said, "[Thank you for telling me the
        truth.|I am sad, but I am glad that you told me.|That was brave of you.]"

        Together they went back and found the {thing.n} {spot}. With [glue and string|some glue|a little wood and glue] they mended it
        together. [It was almost as good as new.|It had a small crack, but they liked it even more.]

        [{h} learned that the truth makes the heart light.|{h} felt as light as a feather.|From that day on, {h} always told the
        truth.|That night {h} slept well again.]
        """,
        scene =>
        {
            scene.Cast("h");
            scene.Cast("f");
            scene.SetThing(Props.Fragile);
        });

    /// <summary>All of them.</summary>
    public static readonly Plot[] All = [Lost, Lost, TooHigh, TooDeep, InTheHole, TooHeavy, Broken, Broken];
}
