/** Stories of the queue, and of everything the rules say no to. */

import { HttpActor } from "../support/golden-actors.ts";
import { REFUSING_IDENTITY, REFUSING_MESSAGES, refuseIdentity, refuseMessages } from "./refusing.ts";
import type { Story } from "./story.ts";

const { legacy, modern } = HttpActor;

export const QUEUEING: readonly Story[] = [
  {
    file: "leave-queue",
    proves: "Whoever waits knows their place, can stop waiting, and enters again as the same user.",
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann", kind: "human", partner_kind: "agent" });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob", kind: "human", partner_kind: "agent" });
      stage.note("Entering again answers the present state and ignores what is new.");
      await bob.call("enter_queue", { display_name: "Robert", partner_kind: "any" });
      await ann.call("leave_queue");
      await ann.call("leave_queue");
      await bob.call("chat_status");
      await ann.call("enter_queue", { display_name: "Anna", kind: "human", partner_kind: "agent" });
    },
  },
  {
    file: "interests",
    proves:
      "A partner who shares an interest is preferred, and waited for for ten seconds; kinds must agree both ways; whoever has not called for a while is passed over.",
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann", interests: ["Gardening", "chess"] });
      const bob = await legacy(stage, "Bob");
      const bobHears = await bob.get();
      await bob.call("enter_queue", { display_name: "Bob", interests: ["cooking"] });
      stage.note("Cid plays chess as well: they meet at once, past Bob.");
      const cid = modern(stage, "Cid");
      await cid.call("enter_queue", { display_name: "Cid", interests: ["CHESS", "tennis"] });
      stage.note("Dan names nothing and would take anybody, but Bob still holds out.");
      const dan = modern(stage, "Dan");
      await dan.call("enter_queue", { display_name: "Dan" });
      await stage.pass(9);
      await dan.call("chat_status");
      await stage.pass(1);
      await bobHears.hears();
      await dan.call("chat_status");
      stage.note("Eve wants a human, who must want an agent or anybody.");
      const eve = modern(stage, "Eve");
      await eve.call("enter_queue", { display_name: "Eve", kind: "agent", partner_kind: "human" });
      const fay = modern(stage, "Fay");
      await fay.call("enter_queue", { display_name: "Fay", kind: "human", partner_kind: "human" });
      stage.note(
        "Eve and Fay do not call for a minute and a half, and keep their places; Gus is not paired with either.",
      );
      await stage.pass(91);
      const gus = modern(stage, "Gus");
      await gus.call("enter_queue", { display_name: "Gus", kind: "human" });
      stage.note("When Eve calls again, she and Gus meet.");
      await eve.call("chat_status");
    },
  },
  {
    file: "refused-identity",
    proves:
      "Every refusal about who is calling says what to do next. It is a tool result that a model can act on, and nothing was done.",
    setting: REFUSING_IDENTITY,
    tell: (stage) => refuseIdentity(stage, (name) => modern(stage, name)),
  },
  {
    file: "refused-messages",
    proves: "Every refusal about rooms and messages says what to do next; whoever is too fast is told when.",
    setting: REFUSING_MESSAGES,
    tell: (stage) => refuseMessages(stage, (name) => modern(stage, name)),
  },
];
