/**
 * A thousand people at once: everybody meets somebody, everybody speaks and listens by push, and
 * everything arrives exactly once and in order.
 *
 * This file owns the crowd. It must never import from src.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { z } from "zod";
import { Arrivals, inParallel, within } from "../support/client-deadline.ts";
import { RawSession, SseParser } from "../support/client-raw.ts";
import { ChunkedBody, httpText, RawSocket, utf8 } from "../support/client-socket.ts";
import { type Program, startProgram } from "../support/program.ts";

const PEOPLE = 1000;
const MESSAGES = 4;
/** Requests under way at once; the streams are beside them. */
const AT_ONCE = 64;
const TEST_MS_MAX = 120_000;
const STEP_MS_MAX = 60_000;

let server: Program;
beforeAll(async () => {
  server = await startProgram({ kind: "source" });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  expect(server.stderr).not.toContain("error");
});

const pushed = z.object({
  method: z.string(),
  params: z.object({
    room_id: z.string(),
    event_id: z.string(),
    message: z.string().optional(),
    sender: z.object({ user_id: z.string() }).optional(),
    partner: z.object({ user_id: z.string() }).optional(),
  }),
});
type Pushed = z.infer<typeof pushed>;

/** One of the crowd: a legacy session with a stream on a socket of its own, as browsers and agents have. */
class Person {
  readonly session: RawSession;
  readonly heard = new Arrivals<Pushed>();
  userId = "";
  #socket: RawSocket | undefined;

  constructor(session: RawSession) {
    this.session = session;
  }

  static async arrive(): Promise<Person> {
    const person = new Person(await RawSession.open(server.url));
    await person.listen();
    return person;
  }

  async listen(): Promise<void> {
    const socket = await RawSocket.open(server.port);
    this.#socket = socket;
    socket.write(httpText("GET /mcp HTTP/1.1", { ...this.session.headers, accept: "text/event-stream" }));
    const head = await socket.until((text) => text.includes("\r\n\r\n"), STEP_MS_MAX);
    if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(head);
    const body = new ChunkedBody();
    const parser = new SseParser();
    const take = (text: string): void => {
      for (const { data } of parser.push(body.push(text))) {
        if (data !== "") this.heard.put(pushed.parse(JSON.parse(utf8(data))));
      }
    };
    take(head.slice(head.indexOf("\r\n\r\n") + 4));
    socket.listen(take);
  }

  async enter(): Promise<void> {
    const { structured, said, isError } = await this.session.call("enter_queue");
    if (isError) throw new Error(said);
    this.userId = String(structured.user_id);
  }

  async leave(): Promise<void> {
    await this.#socket?.[Symbol.asyncDispose]();
  }
}

test(
  `${PEOPLE} people chat in pairs`,
  async () => {
    const people: Person[] = [];
    const turns = Array.from({ length: PEOPLE }, (_, n) => n);
    try {
      await inParallel(turns, AT_ONCE, async () => {
        people.push(await Person.arrive());
      });
      await inParallel(people, AT_ONCE, (person) => person.enter());

      const rooms = new Map<string, string[]>();
      const partnerOf = new Map<string, string>();
      for (const { heard, userId } of people) {
        const { method, params } = await within("a partner", heard.take(), STEP_MS_MAX);
        expect(method).toBe("chatroom.found");
        rooms.set(params.room_id, [...(rooms.get(params.room_id) ?? []), userId]);
        partnerOf.set(userId, params.partner?.user_id ?? "nobody");
      }
      expect(rooms.size).toBe(PEOPLE / 2);
      for (const [a = "", b = ""] of rooms.values()) expect([partnerOf.get(a), partnerOf.get(b)]).toEqual([b, a]);

      await inParallel(people, AT_ONCE, async ({ session, userId }) => {
        for (let n = 0; n < MESSAGES; n++) {
          const { isError, said } = await session.call("send_message", { message: `${n} of ${userId} \u{1f44b}` });
          if (isError) throw new Error(said);
        }
      });
      for (const { heard, userId } of people) {
        const partner = partnerOf.get(userId);
        for (let n = 0; n < MESSAGES; n++) {
          const { method, params } = await within("a message", heard.take(), STEP_MS_MAX);
          expect([method, params.message]).toEqual(["message.received", `${n} of ${partner} \u{1f44b}`]);
        }
      }

      await inParallel([...rooms.values()], AT_ONCE, async ([leaver]) => {
        const person = people.find(({ userId }) => userId === leaver);
        await person?.session.call("leave_chat");
      });
      const leavers = new Set([...rooms.values()].map(([leaver]) => leaver));
      for (const { heard, userId } of people) {
        if (leavers.has(userId)) continue;
        expect(await within("a farewell", heard.take(), STEP_MS_MAX)).toMatchObject({ method: "partner.disconnected" });
      }
      // Nothing came twice, and nothing to anybody else.
      expect(people.flatMap(({ heard }) => heard.takeAll())).toEqual([]);
    } finally {
      await Promise.all(people.map((person) => person.leave()));
    }
  },
  TEST_MS_MAX,
);
