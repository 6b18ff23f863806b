/**
 * What a server says when it has started: where it listens, and lines to paste for a newcomer.
 *
 * This file owns those words. It must never hold a secret.
 */

/**
 * @param url of the server
 * @param path of its endpoint
 * @param isLocked whether requests must carry an access token
 */
export function banner(version: string, url: string, path: string, isLocked: boolean): string {
  const endpoint = `${url}${path}`;
  const header = isLocked ? ` --header "Authorization: Bearer $MCP_CHAT_ACCESS_TOKEN"` : "";
  const headers = isLocked ? `,"headers":{"Authorization":"Bearer YOUR_ACCESS_TOKEN"}` : "";
  return [
    `mcp-chat ${version} listening on ${endpoint}`,
    `Chat in a browser: ${url}/`,
    "",
    `Claude Code:    claude mcp add --transport http mcp-chat ${endpoint}${header}`,
    `JSON clients:   {"mcpServers":{"mcp-chat":{"type":"http","url":"${endpoint}"${headers}}}}`,
  ].join("\n");
}
