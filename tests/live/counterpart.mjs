// Starts the independent implementation of Slack's Web API on a free port and prints its address.
import { createServer } from "node:net";
import { pathToFileURL } from "node:url";

const { createEmulator } = await import(pathToFileURL(`${process.argv[2]}/node_modules/emulate/dist/api.js`).href);
const port = await new Promise((done) => { const probe = createServer().listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => done(port)); }); });
const slack = await createEmulator({
  service: "slack", port, hostname: "127.0.0.1", baseUrl: `http://127.0.0.1:${port}`,
  seed: {
    tokens: { "xoxb-live": { login: "rootcause", scopes: ["chat:write", "channels:read", "channels:history", "channels:join", "users:read", "reactions:write", "reactions:read", "files:write", "files:read"] } },
    slack: { team: { name: "playground", domain: "playground" }, users: [{ name: "rootcause", real_name: "rootcause" }, { name: "ada", real_name: "Ada Byron" }], channels: [{ name: "incidents" }] },
  },
});
console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
process.stdin.on("end", () => slack.close().then(() => process.exit(0))).resume();
