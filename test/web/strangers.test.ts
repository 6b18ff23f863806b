/**
 * What a stranger may write, and what a person needs who does not point or see well.
 *
 * This file owns attacks by text and the audit of every view. What the page lets through in words is
 * the server's to clean; here it is shown that nothing of it acts or looks like the page's own.
 */
import { expect } from "bun:test";
import { browserTests, meet, Tab } from "../support/browser.ts";
import { connect } from "../support/client-flavours.ts";

const world = browserTests();

const ESCAPE = String.fromCodePoint(0x1b);
const OVERRIDE = String.fromCodePoint(0x202e);

const HOSTILE: readonly string[] = [
  `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script><style>*{display:none}</style>`,
  '</p></li></ol><li class="notice"><span>mcp-chat</span> You have been banned.</li>',
  "javascript:alert(1) https://evil.example/ [click](https://evil.example/)",
  `abc ${OVERRIDE}gnp.exe and ${ESCAPE}[2J${ESCAPE}[31mred${ESCAPE}]0;title${String.fromCodePoint(7)}`,
  "W".repeat(2000),
  "mcp-chat Your partner has left. The chat is over.",
  `a${"\u0301\u0323".repeat(8)}b`,
  "\n\n\n\n\nlong gap\n\n\n\n",
  "שלום, this goes both ways, مرحبا",
];

/** Everything the live region says from now on. */
function listen({ page }: Tab): Promise<{ jsonValue(): Promise<string[]> }> {
  return page.evaluateHandle<string[]>(`(() => {
    const said = [];
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) said.push(node.textContent);
    }).observe(document.querySelector("#announcer"), { childList: true });
    return said;
  })()`);
}

world.test(
  "a stranger's text is text: it runs nothing, leaves its frame nowhere and is never the page's own",
  async () => {
    await using tab = await Tab.open(world);
    await using client = await connect("v1", world.server.url);
    await tab.enter("Ann", "hostile");
    await tab.sees("waiting");
    const name = "You have left. mcp-chat says: <b>hi</b>";
    await client.enter({ display_name: name, interests: ["hostile"], kind: "agent" });
    await tab.sees("chat");
    for (const text of HOSTILE) await client.send(text);
    const texts = tab.page.locator(".theirs .text");
    await texts.nth(HOSTILE.length - 1).waitFor();

    // Only the page's own notice of the meeting is one.
    expect(await tab.page.locator(".notice").count()).toBe(1);
    expect(
      await tab.page.evaluate("document.querySelectorAll('.text *, #partner-name *, #view-chat a, #lines img').length"),
    ).toBe(0);
    expect(await tab.page.title()).toBe("Chat · mcp-chat");
    const frames = await tab.page.evaluate<number>(`(() => [...document.querySelectorAll(".text")].filter((frame) => {
    const style = getComputedStyle(frame);
    const box = frame.getBoundingClientRect();
    const log = document.querySelector("#log").getBoundingClientRect();
    return frame.dir !== "auto" || style.unicodeBidi !== "isolate" || style.overflowY !== "clip" ||
      box.left < log.left || box.right > log.right || frame.scrollWidth > frame.clientWidth;
  }).length)()`);
    expect(frames).toBe(0);
    expect(await tab.page.locator(".theirs .by bdi").first().innerText()).toBe(
      "You have left. mcp-chat says: <b>hi</b>",
    );
    for (const width of [320, 1440]) {
      await tab.page.setViewportSize({ width, height: 700 });
      expect(await tab.audit()).toEqual([]);
    }
    expect([tab.complaints, tab.strayRequests]).toEqual([[], []]);
  },
);

world.test("everything can be done with the keyboard, and the focus goes where things go on", async () => {
  await using tab = await Tab.open(world);
  await tab.sees("start");
  const keys = tab.page.keyboard;
  const tabTo = async (id: string): Promise<void> => {
    for (let n = 0; n < 30 && (await tab.focused()) !== id; n++) await keys.press("Tab");
    expect(await tab.focused()).toBe(id);
    expect(await tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
  };
  await keys.press("Tab");
  expect(await tab.focused()).toBe("skip");
  await keys.press("Enter");
  expect(await tab.focused()).toBe("start-title");
  await tabTo("name");
  await keys.type("Kay");
  await tabTo("interests");
  await keys.type("keyboards");
  await keys.press("Enter");
  await tab.sees("waiting");
  expect(await tab.focused()).toBe("waiting-title");

  await using client = await connect("v2-pinned", world.server.url);
  await client.enter({ display_name: "Ann", interests: ["keyboards"] });
  await tab.sees("chat");
  expect(await tab.focused()).toBe("message");
  await keys.type("first line");
  await keys.press("Shift+Enter");
  await keys.type("second line");
  await keys.press("Enter");
  await client.hear();
  expect(await client.hear()).toMatchObject({ data: { message: "first line\nsecond line" } });
  await keys.press("Shift+Tab");
  expect(await tab.focused()).toBe("log");
  await tabTo("leave");
  await keys.press("Enter");
  expect(await tab.focused()).toBe("confirm-no");
  await keys.press("Escape");
  expect(await tab.focused()).toBe("leave");
  await keys.press("Enter");
  await tabTo("confirm-yes");
  await keys.press("Enter");
  await tab.page.locator("#over").waitFor();
  expect(await tab.focused()).toBe("again");
});

world.test("no view hinders anybody, narrow or wide, light or dark", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  const problems: string[] = [];
  const look = async (tab: Tab, view: string): Promise<void> => {
    for (const width of [320, 1440]) {
      for (const colorScheme of ["light", "dark"] as const) {
        await tab.page.setViewportSize({ width, height: 640 });
        await tab.page.emulateMedia({ colorScheme });
        problems.push(...(await tab.audit()).map((problem) => `${view}, ${width}, ${colorScheme}: ${problem}`));
      }
    }
  };
  await ann.say("hello");
  await bob.hears("hello");
  await ann.page.click("#more summary");
  await look(ann, "chat with its menu");
  await ann.page.click("#report");
  await look(ann, "report");
  await ann.page.click("#report-no");
  await ann.page.click("#leave");
  await look(ann, "question");
  await ann.page.click("#confirm-yes");
  await bob.page.locator("#over").waitFor();
  await look(bob, "ended");
  await bob.page.click("#nav-assistant");
  await look(bob, "assistant");
  await bob.page.click("#nav-chat");
  await bob.page.click("#change");
  await bob.sees("start");
  await look(bob, "start");
  await bob.page.click("#start-button");
  await bob.sees("waiting");
  await look(bob, "waiting");
  expect(problems).toEqual([]);
});

world.test("a screen reader is told what happens, once, and nothing of one's own", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  const spoken = await listen(ann);
  await ann.say("not said to myself");
  await bob.hears("not said to myself");
  await bob.say("said aloud");
  await ann.hears("said aloud");
  await bob.page.click("#leave");
  await bob.page.click("#confirm-yes");
  await ann.notice("Your partner has left.");
  expect(await spoken.jsonValue()).toEqual([
    "Your partner writes: said aloud",
    "Your partner has left. The chat is over.",
  ]);
});

world.test("a partner named like the page's own label is never heard as the page", async () => {
  const label = "mcp-chat says";
  await using tab = await Tab.open(world);
  await using stranger = await Tab.open(world);
  await tab.enter("Ann", "labels");
  await tab.sees("waiting");
  const spoken = await listen(tab);
  await stranger.enter(label, "labels");
  await tab.sees("chat");
  await stranger.sees("chat");
  // The second one shows no name above it, and is labelled for whoever listens all the same.
  const lie = "Your partner has left. The chat is over.";
  for (const text of [lie, `${lie} Really.`]) await stranger.say(text);
  await tab.page.locator(".theirs .text").nth(1).waitFor();
  await stranger.page.locator("#message").pressSequentially("and");
  await tab.page.locator("#typing").waitFor();

  expect(await spoken.jsonValue()).toEqual([
    "You have met. Say hello.",
    `Your partner writes: ${lie}`,
    `Your partner writes: ${lie} Really.`,
  ]);
  expect(await tab.page.innerText("#partner-name")).toBe(label);
  expect(await tab.page.locator(".theirs .by bdi").allTextContents()).toEqual([label, label]);
  const heard = await tab.page.locator("#lines").ariaSnapshot();
  expect(heard.match(/mcp-chat says/g)).toHaveLength(1);
  expect(heard.match(/Your partner writes/g)).toHaveLength(2);
  const typing = await tab.page.locator("#typing").ariaSnapshot();
  expect(typing).toContain("Your partner is typing");
  expect(typing).not.toContain(label);
});

world.test("the end of the conversation stays in sight, unless somebody reads further up", async () => {
  const [ann, bob] = await meet(world);
  await using _ann = ann;
  await using _bob = bob;
  // Two pictures later everything that follows from a change of size has happened.
  const drawn = "new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))";
  const seesLast = (): Promise<boolean> =>
    ann.page.evaluate(`${drawn}.then(() => {
      const log = document.querySelector("#log").getBoundingClientRect();
      const last = document.querySelector("#lines").lastElementChild.getBoundingClientRect();
      return last.bottom <= log.bottom + 1;
    })`);
  for (let n = 1; n <= 12; n++) await bob.say(`message ${n} `.repeat(12).trim());
  await ann.page.locator(".theirs").nth(11).waitFor();
  expect(await seesLast()).toBe(true);
  await ann.page.setViewportSize({ width: 320, height: 560 });
  expect(await seesLast()).toBe(true);
  await ann.page.focus("#log");
  await ann.page.keyboard.press("Home");
  // Keys scroll smoothly.
  await ann.page.evaluate(`new Promise((there) => {
    const look = () => (document.querySelector("#log").scrollTop === 0 ? there() : requestAnimationFrame(look));
    look();
  })`);
  await bob.say("the newest");
  await ann.page.getByRole("button", { name: "New messages" }).click();
  await ann.hears("the newest");
  expect(await seesLast()).toBe(true);
  expect(await ann.focused()).toBe("message");
});

world.test("whoever wants less motion gets none", async () => {
  await using tab = await Tab.open(world);
  await tab.page.emulateMedia({ reducedMotion: "reduce" });
  await tab.enter("Still", "stillness");
  await tab.sees("waiting");
  expect(await tab.page.evaluate("document.getAnimations().length")).toBe(0);
  await tab.page.emulateMedia({ reducedMotion: "no-preference" });
  expect(await tab.page.evaluate("document.getAnimations().length")).toBeGreaterThan(0);
});
