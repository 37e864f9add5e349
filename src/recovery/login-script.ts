export const LOGIN_DONE = "millwright-login-done";

interface Account {
  readonly database: string;
  readonly login?: string;
  readonly password?: string;
}

/**
 * Python that asks Odoo for its login page and, with an account, logs in and reads something: the health page answers before any of that
 * could. It goes by standard input, the values as base64 of JSON, so that no word of them shows anywhere or ends a literal.
 */
export function loginScript(account: Account): string {
  return `
import base64, json, urllib.request
values = json.loads(base64.b64decode("${Buffer.from(JSON.stringify(account)).toString("base64")}"))
def call(path, params):
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}).encode()
    request = urllib.request.Request("http://127.0.0.1:8069" + path, body, {"Content-Type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=120))
    if "error" in answer:
        raise SystemExit("Odoo refuses: " + str(answer["error"].get("data", {}).get("message") or answer["error"].get("message")))
    return answer["result"]
assert urllib.request.urlopen("http://127.0.0.1:8069/web/login", timeout=120).status == 200
if "login" in values:
    service = {"service": "common", "method": "login", "args": [values["database"], values["login"], values["password"]]}
    uid = call("/jsonrpc", service)
    assert uid, "the probe account may not log in"
    execute = [values["database"], uid, values["password"], "res.users", "search_count", [["id", "=", uid]]]
    assert call("/jsonrpc", {"service": "object", "method": "execute", "args": execute}) == 1
print("${LOGIN_DONE}")
`;
}
