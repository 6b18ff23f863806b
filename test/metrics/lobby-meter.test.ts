/** Figures of a lobby that another one takes the place of: what is open is counted anew. */
import { expect, test } from "bun:test";
import { Exposition } from "../../src/metrics/exposition.ts";
import { LobbyMeter } from "../../src/metrics/lobby-meter.ts";
import { ChatNodes } from "../support/chat-nodes.ts";

test("a room that was closed while the state was loaded anew is open no more", async () => {
  // With this seed the other node hears of the end first.
  const nodes = await ChatNodes.start(2, { seed: 4 });
  const { host } = nodes.at(0).chat;
  const meter = new LobbyMeter(() => host.lobby);
  host.listenToAll((event) => meter.hear(event));
  const openRooms = (): string | undefined => {
    const out = new Exposition();
    meter.write(out);
    return /^mcp_chat_rooms_open (\d+)$/m.exec(out.text)?.[1];
  };
  const [ann, bob] = [nodes.at(0).session(), nodes.at(0).session()];
  await nodes.at(1).call("enter_queue", {}, ann);
  await nodes.at(1).call("enter_queue", {}, bob);
  await nodes.calm();
  expect(openRooms()).toBe("1");
  const before: (string | undefined)[] = [];
  nodes.at(1).chat.host.listen(["room_closed"], () => {
    before.push(openRooms());
    nodes.at(0).journal.reset(false);
  });
  await nodes.at(1).call("leave_chat", {}, ann);
  await nodes.calm();
  expect(before).toEqual(["1"]);
  expect(openRooms()).toBe("0");
});
