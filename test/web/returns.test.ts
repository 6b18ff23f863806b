/**
 * People whose connection breaks, whose tab is reloaded or duplicated, whose machine sleeps, whose
 * server restarts: nothing is lost, nothing comes twice, nobody becomes two.
 *
 * This file owns breaking things. The conversations themselves are in chat.test.ts.
 */
import { expect } from "bun:test";
import { browserTests, meet, Tab } from "../support/browser.ts";
import { startProgram } from "../support/program.ts";
import { Relay } from "../support/relay.ts";

const world = browserTests();

world.test("what is written and said while the line is cut arrives once, in order, on both sides", async () => {
  const relay = new Relay(world.server.port);
  const [ann, bob] = await meet(world, { origin: relay.origin });
  await using _ann = ann;
  await using _bob = bob;
  await bob.say("before");
  await ann.hears("before");
  relay.down();
  await bob.page.locator("#banner").waitFor();
  await bob.say("first in the dark");
  await bob.say("second in the dark");
  await bob.delivery("Waiting for the connection");
  await ann.notice("Your partner's connection dropped.");
  await ann.say("are you there?");
  await ann.delivery("Sent, kept until they are back");
  relay.up();
  await ann.hears("second in the dark");
  await bob.hears("are you there?");
  await bob.delivery("Sent");
  await ann.notice("Your partner is back.");
  await bob.page.locator("#banner").waitFor({ state: "hidden" });
  const heard = ["them: before", "me: are you there?", "them: first in the dark", "them: second in the dark"];
  expect(await ann.messages()).toEqual(heard);
  expect((await bob.messages()).sort()).toEqual([
    "me: before",
    "me: first in the dark",
    "me: second in the dark",
    "them: are you there?",
  ]);
  relay.down();
});

world.test("a message whose answer is lost is sent again and comes once", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  const sent: string[] = [];
  await ann.page.route("**/mcp", async (route) => {
    const call = route.request().postDataJSON();
    if (call.params.name !== "send_message") return route.continue();
    sent.push(call.params.arguments.client_message_id);
    if (sent.length > 1) return route.continue();
    // The server takes it, and the answer does not come through.
    await route.fetch();
    return route.abort("connectionreset");
  });
  await ann.say("once only");
  await ann.delivery("Sent");
  await ann.say("the next one");
  await bob.hears("the next one");
  expect(await bob.messages()).toEqual(["them: once only", "them: the next one"]);
  expect(sent).toHaveLength(3);
  expect(sent[1]).toBe(sent[0] ?? "");
});

world.test("a message the server fails on can be tried again under the same id, or taken back", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  const ids: string[] = [];
  await ann.page.route("**/mcp", (route) => {
    const call = route.request().postDataJSON();
    if (call.params.name !== "send_message") return route.continue();
    ids.push(call.params.arguments.client_message_id);
    return ids.length === 2 || ids.length === 4 ? route.continue() : route.fulfill({ status: 500, body: "{}" });
  });
  await ann.say("second try");
  await ann.page.getByRole("button", { name: "Try again" }).click();
  await bob.hears("second try");
  expect(ids[1]).toBe(ids[0] ?? "");
  await ann.say("typo");
  await ann.page.getByRole("button", { name: "Edit" }).click();
  expect(await ann.page.inputValue("#message")).toBe("typo");
  await ann.say("no typo");
  await bob.hears("no typo");
  expect(await ann.messages()).toEqual(["me: second try", "me: no typo"]);
});

world.test("a browser without a network says so and comes back", async () => {
  const [ann, bob] = await meet(world, { profile: await world.newProfile() });
  await using _ann = ann;
  await using _bob = bob;
  await bob.page.context().setOffline(true);
  await bob.page.locator("#banner").waitFor();
  await bob.say("from the train");
  await bob.page.context().setOffline(false);
  await ann.hears("from the train");
  await bob.delivery("Sent");
});

world.test("a line that falls silent without a sign is noticed when the machine wakes up", async () => {
  const relay = new Relay(world.server.port);
  const [ann, bob] = await meet(world, { origin: relay.origin, profile: await world.newProfile() });
  await using _ann = ann;
  await using _bob = bob;
  await bob.page.clock.install();
  await bob.page.reload();
  await bob.sees("chat");
  await ann.notice("Your partner is back.");
  relay.muteStreams();
  await ann.say("good night");
  await bob.page.clock.fastForward(60_000);
  await bob.hears("good night");
  await bob.say("good morning");
  await ann.hears("good morning");
  relay.down();
});

world.test("a reloaded tab is the same person with the same conversation", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  await ann.say("one");
  await bob.hears("one");
  await bob.say("two");
  await ann.hears("two");
  await bob.page.fill("#message", "half a thou");
  await Promise.all([bob.page.reload(), ann.say("three")]);
  await bob.hears("three");
  expect(await bob.messages()).toEqual(["them: one", "me: two", "them: three"]);
  expect(await bob.page.inputValue("#message")).toBe("half a thou");
  await bob.say("four");
  await ann.hears("four");
  expect(await bob.page.locator(".notice").first().innerText()).toContain("You have met.");
});

world.test("a duplicated tab becomes somebody else, and the first stays who it was", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  await bob.say("only me");
  await using twin = await bob.duplicate();
  await twin.sees("start");
  expect(await twin.messages()).toEqual([]);
  await ann.say("who is there?");
  await bob.hears("who is there?");
  await twin.page.reload();
  await twin.sees("start");
  await twin.enter("Twin", "twins");
  await twin.sees("waiting");
  await bob.page.reload();
  await bob.say("still only me");
  await ann.hears("still only me");
});

world.test("two tabs of one browser are two people who may meet", async () => {
  await using ann = await Tab.open(world);
  await ann.enter("Ann", "myself");
  await ann.sees("waiting");
  await using other = await Tab.open(world);
  await other.enter("Anna", "myself");
  await Promise.all([ann.sees("chat"), other.sees("chat")]);
  await ann.say("hello me");
  await other.hears("hello me");
});

world.test("whoever is away for too long is told why, and what they could not send", async () => {
  const server = await startProgram({ kind: "source", args: ["--grace-seconds", "0.5"] });
  const relay = new Relay(server.port);
  const short = { profile: world.profile, server };
  const [ann, bob] = await meet(short, { origin: relay.origin });
  await using _ann = ann;
  await using _bob = bob;
  // Who has never held a stream has fifteen minutes.
  await ann.say("hello");
  await bob.hears("hello");
  relay.down();
  await bob.page.locator("#banner").waitFor();
  await bob.say("too late");
  await ann.notice("Your partner's connection was lost.");
  relay.up();
  await bob.page.locator("#over").waitFor();
  await bob.delivery("Not sent: the chat was over.");
  expect(await bob.page.getByRole("button", { name: "Try again" }).count()).toBe(0);
  expect(await bob.page.locator(".notice").last().innerText()).toMatch(/The chat ended while you were away|is over/);
  relay.down();
  await server.stop();
});

world.test("a server that has forgotten everybody is no dead end", async () => {
  const server = await startProgram({ kind: "source" });
  const own = { profile: world.profile, server };
  const [ann, bob] = await meet(own);
  await using _ann = ann;
  await using _bob = bob;
  await using cy = await Tab.open(own);
  await cy.enter("Cy", "patience");
  await cy.sees("waiting");
  await server.stop();
  await ann.page.locator("#banner").waitFor();
  const next = await startProgram({ kind: "source", args: ["--port", String(server.port), "--widen-seconds", "0"] });
  await ann.notice("The server does not know you any more.");
  await cy.page.locator("#banner").waitFor({ state: "hidden" });
  await cy.sees("waiting");
  await bob.page.locator("#over").waitFor();
  await bob.page.click("#again");
  await Promise.all([bob.sees("chat"), cy.sees("chat")]);
  await cy.say("I waited");
  await bob.hears("I waited");
  await next.stop();
});

world.test("a server with an access token asks for it once, and not after a reload", async () => {
  const server = await startProgram({ kind: "source", args: ["--access-token", "open-sesame"] });
  const guarded = { profile: world.profile, server };
  await using ann = await Tab.open(guarded);
  await ann.sees("access");
  expect(await ann.audit()).toEqual([]);
  await ann.page.fill("#access-token", "guess");
  await ann.page.keyboard.press("Enter");
  await ann.page.getByText("This token was not accepted.").waitFor();
  await ann.page.fill("#access-token", "open-sesame");
  await ann.page.keyboard.press("Enter");
  await ann.enter("Ann");
  await ann.sees("waiting");
  await ann.page.reload();
  await ann.sees("waiting");
  await ann.page.click("#nav-assistant");
  expect(await ann.page.locator("pre").first().innerText()).toContain("$MCP_CHAT_ACCESS_TOKEN");
  const kept = await ann.page.evaluate<string>("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)");
  expect(kept).not.toContain("open-sesame");
  expect(ann.complaints).toEqual([]);
  await server.stop();
});

world.test("whoever runs the server is heard, in the queue and in the chat, and a ban is no dead end", async () => {
  const token = "admin-token-of-this-test-0123456789";
  const server = await startProgram({ kind: "source", env: { MCP_CHAT_ADMIN_TOKEN: token } });
  const own = { profile: world.profile, server };
  const act = async (path: string, body: Record<string, unknown>): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${server.origin}/admin/${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
  };
  const [ann, bob] = await meet(own);
  await using _ann = ann;
  await using _bob = bob;
  await using cy = await Tab.open(own);
  await cy.enter("Cy", "patience");
  await cy.sees("waiting");
  await act("announcements", { text: "Restart at noon." });
  await Promise.all([ann.notice("Restart at noon."), bob.notice("Restart at noon.")]);
  expect(await ann.page.locator(".notice").last().innerText()).toContain("Message from the operator: Restart at noon.");
  await cy.page.locator("#waiting-problem").getByText("Restart at noon.").waitFor();

  const { userId } = await ann.page.evaluate<{ userId: string }>(
    "JSON.parse(sessionStorage.getItem('mcp-chat')).session",
  );
  await act("bans", { user_id: userId });
  await bob.notice("A moderator has closed this chat.");
  await ann.page.click("#again");
  await ann.page.getByText("You are banned from this server.").last().waitFor();
  await server.stop();
});
