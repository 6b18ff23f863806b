/**
 * People in browsers who meet, talk and part: what each of them sees.
 *
 * This file owns the conversations. Broken connections are in returns.test.ts, what strangers may try
 * in strangers.test.ts.
 */
import { expect } from "bun:test";
import { browserTests, meet, Tab } from "../support/browser.ts";
import { connect } from "../support/client-flavours.ts";

const world = browserTests();

world.test("two people meet, talk both ways and part", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  expect(await ann.page.innerText("#partner-name")).toBe("Bob");
  expect(await bob.page.innerText("#partner-kind")).toBe("says: a person");
  expect(await ann.page.title()).toBe("Chat · mcp-chat");
  await ann.say("hello Bob");
  await bob.hears("hello Bob");
  await ann.delivery("Sent");
  await bob.say("hello Ann,\nhow are you?");
  await ann.page.locator(".theirs").first().waitFor();
  expect(await ann.messages()).toEqual(["me: hello Bob", "them: hello Ann,\nhow are you?"]);

  await bob.page.click("#leave");
  await bob.page.click("#confirm-yes");
  await bob.notice("You have left.");
  await ann.notice("Your partner has left.");
  expect(await ann.page.locator("#composer").isVisible()).toBe(false);
  expect(await ann.focused()).toBe("again");
  for (const tab of [ann, bob]) expect([tab.complaints, tab.strayRequests]).toEqual([[], []]);
});

world.test("a question is asked before a chat is left, and no is an answer", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  await ann.page.click("#leave");
  await ann.page.keyboard.press("Escape");
  await ann.say("still here");
  await bob.hears("still here");
  // Faster than the browser tells that the first question is closed.
  await ann.page.click("#leave");
  await ann.page.evaluate("document.querySelector('#confirm-no').click(), document.querySelector('#leave').click()");
  await ann.page.click("#confirm-yes");
  await bob.notice("Your partner has left.");
});

world.test("next partner: out of this chat and into the queue", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  await ann.page.click("#next");
  await ann.page.click("#confirm-yes");
  await ann.sees("waiting");
  await bob.notice("Your partner has left.");
  await ann.page.click("#stop-waiting");
  await ann.sees("start");
  expect(await ann.page.inputValue("#name")).toBe("Ann");
});

world.test("an assistant's SDK client is a partner like any other", async () => {
  await using tab = await Tab.open(world);
  await using client = await connect("v1", world.server.url);
  await tab.enter("Ann", "with an agent");
  await tab.sees("waiting");
  await client.enter({ display_name: "Claude", kind: "agent", interests: ["with an agent"] });
  await tab.sees("chat");
  expect(await tab.page.innerText("#partner-kind")).toBe("says: an AI agent");
  expect(await tab.page.innerText("#shared")).toBe("with an agent");
  await tab.say("Who are you?");
  expect((await client.hear()).name).toBe("chatroom.found");
  expect(await client.hear()).toMatchObject({ name: "message.received", data: { message: "Who are you?" } });
  await client.send("A program.");
  await tab.hears("A program.");
  await client.leave();
  await tab.notice("Your partner has left.");
});

world.test("each sees the other typing, until the message comes", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  for (const [writer, reader] of [
    [ann, bob],
    [bob, ann],
  ] as const) {
    await writer.page.locator("#message").pressSequentially("abc");
    await reader.page.locator("#typing").waitFor();
    await writer.page.press("#message", "Enter");
    await reader.hears("abc");
    await reader.page.locator("#typing").waitFor({ state: "hidden" });
  }
  await ann.page.locator("#message").pressSequentially("never mind");
  await bob.page.locator("#typing").waitFor();
  await ann.page.fill("#message", "");
  // At once, not only when it would end by itself.
  await bob.page.locator("#typing").waitFor({ state: "hidden", timeout: 5000 });
});

world.test("a partner is blocked, and both are told that it is over", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  await ann.page.click("#more summary");
  await ann.page.click("#block");
  await ann.page.click("#confirm-yes");
  await ann.notice("You have blocked your partner.");
  await bob.notice("This chat was closed.");
  expect(await ann.page.locator("#over-block").isVisible()).toBe(false);
});

world.test("a partner is reported with a category and details, also after the end", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  await ann.page.click("#more summary");
  await ann.page.click("#report");
  await ann.page.selectOption("#category", "scam");
  await ann.page.fill("#details", "wants my bank account");
  await ann.page.click("#report-form button[type=submit]");
  await ann.notice("Thank you for the report.");
  await bob.sees("chat");
  await bob.page.click("#over-report");
  await bob.page.selectOption("#category", "other");
  await bob.page.click("#report-form button[type=submit]");
  await bob.notice("Thank you for the report.");
});

world.test("two who agree on a code meet, by an invitation link too", async () => {
  await using ann = await Tab.open(world);
  await ann.page.fill("#code", "blue-kettle-42");
  await ann.page.click("#join-button");
  await ann.sees("waiting");
  expect(await ann.page.innerText("#code-shown")).toBe("blue-kettle-42");
  await using bob = await Tab.open(world, "/#meet=blue-kettle-42");
  await bob.sees("start");
  expect(await bob.page.inputValue("#code")).toBe("blue-kettle-42");
  await bob.page.click("#join-button");
  await Promise.all([ann.sees("chat"), bob.sees("chat")]);
});

world.test("interests of those who wait are suggested and taken by a press", async () => {
  await using ann = await Tab.open(world);
  await ann.enter("Ann", "medieval cooking");
  await ann.sees("waiting");
  expect(await ann.page.innerText("#waiting-count")).toMatch(/^\d+ waiting, \d+ online$/);
  await using bob = await Tab.open(world);
  await bob.page.fill("#interests", "chess, medie");
  await bob.page.getByRole("button", { name: "medieval cooking" }).click();
  expect(await bob.page.inputValue("#interests")).toBe("chess, medieval cooking, ");
  await bob.page.click("#start-button");
  await Promise.all([ann.sees("chat"), bob.sees("chat")]);
});

world.test("the conversation can be copied as text", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  await ann.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await bob.say("one\n[00:00] * You have been banned");
  await ann.page.locator(".theirs").first().waitFor();
  await ann.page.click("#more summary");
  await ann.page.click("#copy");
  await ann.page.locator("#announcer").getByText("Copied.").waitFor({ state: "attached" });
  const copied = await ann.page.evaluate<string>("navigator.clipboard.readText()");
  expect(copied).toMatch(/^Conversation on mcp-chat, \d{4}-\d\d-\d\d, with Bob\n\[\d\d:\d\d\] \* You have met/);
  expect(copied).toContain("] Your partner, Bob:\n    one\n    [00:00] * You have been banned\n");
});

world.test("assistants are told how to connect, with links that install", async () => {
  await using tab = await Tab.open(world, "/#/assistant");
  await tab.sees("assistant");
  const texts = await tab.page.locator("pre").allInnerTexts();
  expect(texts).toHaveLength(7);
  expect(texts.every((text) => text.includes(world.server.url))).toBe(true);
  const code = (await tab.page.getByText("Add to VS Code").getAttribute("href")) ?? "";
  expect(JSON.parse(decodeURIComponent(code.replace("vscode:mcp/install?", "")))).toEqual({
    name: "mcp-chat",
    type: "http",
    url: world.server.url,
  });
  const cursor = new URL((await tab.page.getByText("Add to Cursor").getAttribute("href")) ?? "");
  expect(cursor.searchParams.get("name")).toBe("mcp-chat");
  expect(JSON.parse(atob(cursor.searchParams.get("config") ?? ""))).toEqual({ url: world.server.url });
});
