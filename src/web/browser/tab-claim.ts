/**
 * Makes sure that only one tab is one person. A browser copies the session storage when a tab is
 * duplicated; the copy must become somebody else, and a reloaded tab must stay who it was.
 *
 * This file owns that decision. It must never read what is stored.
 */
import { CLAIM_MS_MAX } from "./limits.ts";

const PREFIX = "mcp-chat ";

/**
 * Claims a person for this tab, until the tab is closed or reloaded.
 * @returns false if another tab of this browser is that person
 */
export function claimTab(tabKey: string): Promise<boolean> {
  // Locks exist only where the origin is secure or this machine; a tab elsewhere asks the others itself.
  return "locks" in navigator ? claimByLock(PREFIX + tabKey) : claimByAsking(PREFIX + tabKey);
}

function claimByLock(name: string): Promise<boolean> {
  return new Promise((decide) => {
    // A reloaded page may come before its former self has let go.
    navigator.locks
      .request(name, { signal: AbortSignal.timeout(CLAIM_MS_MAX) }, () => {
        decide(true);
        return new Promise(() => undefined);
      })
      .catch(() => decide(false));
  });
}

function claimByAsking(name: string): Promise<boolean> {
  const others = new BroadcastChannel(name);
  return new Promise((decide) => {
    let claimed = false;
    const timer = setTimeout(() => {
      claimed = true;
      decide(true);
    }, CLAIM_MS_MAX / 5);
    others.onmessage = ({ data }) => {
      if (data === "who?") {
        if (claimed) others.postMessage("me");
      } else if (!claimed) {
        clearTimeout(timer);
        others.close();
        decide(false);
      }
    };
    others.postMessage("who?");
  });
}
