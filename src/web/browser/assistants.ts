/**
 * How an assistant is connected to this server: lines to paste, and links that do it by themselves.
 *
 * This file owns those texts. An access token is never in them: they name a variable that holds it.
 */

export interface Assistant {
  readonly name: string;
  /** Where the text goes. */
  readonly how: string;
  readonly text: string;
  /** A link that the program itself opens. */
  readonly link?: { readonly label: string; readonly href: string };
}

const NAME = "mcp-chat";
const VARIABLE = "MCP_CHAT_ACCESS_TOKEN";

/**
 * @param endpoint the MCP endpoint's URL
 * @param needsToken whether the server asks for an access token
 */
export function assistants(endpoint: string, needsToken: boolean): readonly Assistant[] {
  const flag = needsToken ? ` --header "Authorization: Bearer $${VARIABLE}"` : "";
  const headers = (value: string): object => (needsToken ? { headers: { Authorization: `Bearer ${value}` } } : {});
  const cursor = { url: endpoint, ...headers(`\${env:${VARIABLE}}`) };
  const code = { type: "http", url: endpoint };
  const bridge = {
    command: "bunx",
    args: ["mcp-chat", "stdio", "--url", endpoint],
    ...(needsToken ? { env: { [VARIABLE]: "the access token" } } : {}),
  };
  const codeInput = { type: "promptString", id: "mcp-chat-token", description: "Access token", password: true };
  return [
    {
      name: "Claude Code",
      how: "In a terminal:",
      text: `claude mcp add --transport http ${NAME} ${endpoint}${flag}`,
    },
    {
      name: "Claude Desktop",
      how: "Settings, Developer, Edit Config; needs Bun:",
      text: pretty({ mcpServers: { [NAME]: bridge } }),
    },
    {
      name: "VS Code",
      how: "In .vscode/mcp.json, or by the button:",
      text: pretty(
        needsToken
          ? { inputs: [codeInput], servers: { [NAME]: { ...code, ...headers(`\${input:${codeInput.id}}`) } } }
          : { servers: { [NAME]: code } },
      ),
      link: { label: "Add to VS Code", href: vsCodeLink(code, needsToken ? codeInput : undefined) },
    },
    {
      name: "Cursor",
      how: "In ~/.cursor/mcp.json, or by the button:",
      text: pretty({ mcpServers: { [NAME]: cursor } }),
      link: { label: "Add to Cursor", href: cursorLink(cursor) },
    },
    {
      name: "Codex",
      how: "In a terminal:",
      text: `codex mcp add ${NAME} --url ${endpoint}${needsToken ? ` --bearer-token-env-var ${VARIABLE}` : ""}`,
    },
    {
      name: "Gemini CLI",
      how: "In a terminal:",
      text: `gemini mcp add --transport http ${NAME} ${endpoint}${flag}`,
    },
    {
      name: "Anything else that speaks MCP",
      how: "Streamable HTTP, both eras of the protocol, at",
      text: endpoint,
    },
  ];
}

/** VS Code, "MCP URL handler": the object that `code --add-mcp` takes. */
function vsCodeLink(server: object, input: { readonly id: string } | undefined): string {
  const whole =
    input === undefined
      ? { name: NAME, ...server }
      : { name: NAME, ...server, headers: { Authorization: `Bearer \${input:${input.id}}` }, inputs: [input] };
  return `vscode:mcp/install?${encodeURIComponent(JSON.stringify(whole))}`;
}

/** Cursor, "MCP Install Links": the server's configuration as base64 of JSON. */
function cursorLink(server: object): string {
  const config = encodeURIComponent(btoa(JSON.stringify(server)));
  return `cursor://anysphere.cursor-deeplink/mcp/install?name=${NAME}&config=${config}`;
}

function pretty(value: object): string {
  return JSON.stringify(value, null, 2);
}
