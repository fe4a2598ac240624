"""Checks requests to receivers with programs that are not ours.

Reads a JSON list of requests from standard input: `kind`, `secret`, `path`, `headers` (names in lower case) and `body` (base64).
Writes a JSON list with the problems of each request. Where a package can only send, it sends the same message to a server of this
script, and the two requests are compared.
"""

import base64
import json
import sys
import threading
from contextlib import redirect_stdout
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

import adaptive_cards
import jsonschema
from adaptive_cards.validation import MicrosoftTeams
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.wecombot import NotifyWeComBot
from apprise.plugins.workflows import NotifyWorkflows
from dingtalkchatbot.chatbot import DingtalkChatbot
from lark_webhook_notify.client import gen_sign
from pagerduty import EventsApiV2Client
from slack_sdk.models.blocks import Block
from slack_sdk.webhook import WebhookClient
from standardwebhooks import Webhook

# What each service answers when it takes a message.
ANSWERS = {
    "/v2/enqueue": (202, {"status": "success", "message": "Event processed", "dedup_key": "k"}),
    "/slack": (200, "ok"),
    "/dingtalk": (200, {"errcode": 0, "errmsg": "ok"}),
    "/feishu": (200, {"code": 0, "msg": "success"}),
    "/wecom": (200, {"errcode": 0, "errmsg": "ok"}),
}
# From the services' documentation, where no package knows them. Bytes of the whole body.
DINGTALK_BYTES_MAX = FEISHU_BYTES_MAX = 20_000
PAGERDUTY_SUMMARY_MAX, PAGERDUTY_KEY_MAX = 1024, 255


class Problem(Exception):
    """A request that a service would not take."""


class Server(ThreadingHTTPServer):
    """Takes what the packages send."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.got = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_port}"

    def sent_by(self, send):
        """The path and the body of the one request that `send` sends."""
        self.got.clear()
        send()
        if len(self.got) != 1:
            raise Problem(f"the package sent {len(self.got)} requests")
        return self.got[0]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, json.loads(body)))
        status, answer = ANSWERS.get(urlsplit(self.path).path.rstrip("/"), (200, ""))
        answer = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def need(holds, what):
    if not holds:
        raise Problem(what)


def same(ours, theirs):
    need(ours == theirs, f"we send {ours}, and the package sends {theirs}")


def without(fields, *names):
    return {name: value for name, value in fields.items() if name not in names}


def filled(text):
    need(isinstance(text, str) and text.strip(), "the text is empty")
    need("�" not in text, "the text has a character that was cut")
    return text


def webhook(request, body, _server):
    Webhook(request["secret"]).verify(request["bytes"], request["headers"])
    need(request["headers"]["webhook-id"].isascii(), "the id is not ASCII")
    need(set(body) == {"type", "timestamp", "data"}, f"the fields are {list(body)}")
    datetime.fromisoformat(body["timestamp"])
    filled(body["data"]["title"])
    filled(body["data"]["text"])


def pagerduty(request, body, server):
    client = EventsApiV2Client(request["secret"])
    need(request["own_url"] == f"{client.default_base_url}/v2/enqueue", "PagerDuty has another address")
    # Its public property takes no plain http.
    client._url = server.base  # pylint: disable=protected-access
    payload, key = body["payload"], body["dedup_key"]
    need(len(key) <= PAGERDUTY_KEY_MAX, "the key is too long")
    need(len(filled(payload["summary"])) <= PAGERDUTY_SUMMARY_MAX, "the summary is too long")
    need(payload["severity"] in {"critical", "error", "warning", "info"}, "no severity of PagerDuty")
    datetime.fromisoformat(payload["timestamp"])
    need(urlsplit(body["client_url"]).scheme and all(link["href"] for link in body["links"]), "a link leads nowhere")
    if body["event_action"] == "resolve":
        path, sent = server.sent_by(lambda: client.resolve(key))
        same({name: body.get(name) for name in sent}, sent)
    else:
        named = ("summary", "source", "severity", "custom_details")
        path, sent = server.sent_by(
            lambda: client.trigger(
                *(payload[name] for name in named[:2]),
                dedup_key=key,
                severity=payload["severity"],
                payload=without(payload, *named),
                custom_details=payload["custom_details"],
                links=body["links"],
            )
        )
        same(without(body, "client", "client_url"), sent)
    same(request["path"], path)


def slack(_request, body, server):
    filled(body["text"])
    blocks = Block.parse_all(body["blocks"])
    need(blocks, "there is no block")
    for block in blocks:
        block.validate_json()
        filled(block.text.text)
    client = WebhookClient(f"{server.base}/slack")
    _, sent = server.sent_by(lambda: client.send(text=body["text"], blocks=blocks))
    same(body, sent)


def teams(request, body, _server):
    [attachment] = body["attachments"]
    card = attachment["content"]
    theirs = NotifyWorkflows(workflow="0" * 32, signature="s", host="x").gen_payload(body="x")
    [their_attachment] = theirs["attachments"]
    same(without(body, "attachments"), without(theirs, "attachments"))
    same(attachment["contentType"], their_attachment["contentType"])
    same(card["type"], their_attachment["content"]["type"])
    schema = files(adaptive_cards) / "schemas" / f"schema-{card['version']}.json"
    schema = json.loads(schema.read_text(encoding="utf-8-sig"))
    jsonschema.validators.validator_for(schema)(schema).validate(card)
    need(len(request["bytes"]) <= MicrosoftTeams().max_card_size() * 1024, "the card is too large")
    need(card["body"], "the card is empty")
    for block in card["body"]:
        filled("".join(run["text"] for run in block["inlines"]))


def dingtalk(request, body, server):
    query = parse_qs(urlsplit(request["path"]).query, strict_parsing=True)
    [token], [millis] = query["access_token"], query["timestamp"]
    text, at = filled(body["text"]["content"]), body["at"]
    need(len(request["bytes"]) <= DINGTALK_BYTES_MAX, "the body is too long")
    bot = DingtalkChatbot(f"{server.base}/dingtalk?access_token={token}", secret=request["secret"])
    bot.start_time = int(millis) / 1000
    bot.update_webhook()
    # Without an hour between the signature and now, which would sign anew.
    need(abs(datetime.now().timestamp() - bot.start_time) < 3000, "the signature is old")
    for number in at["atMobiles"]:
        need(f"@{number}" in text, f"the text does not mention {number}")
    mentions = {"is_at_all": at["isAtAll"], "at_mobiles": at["atMobiles"], "is_auto_at": False}
    path, sent = server.sent_by(lambda: bot.send_text(text, **mentions))
    same(query, parse_qs(urlsplit(path).query))
    same({**body, "at": {name: value for name, value in at.items() if value}}, sent)


def feishu(request, body, server):
    same(body["sign"], gen_sign(body["timestamp"], request["secret"]))
    need(abs(datetime.now().timestamp() - int(body["timestamp"])) < 3600, "the signature is old")
    need(len(request["bytes"]) <= FEISHU_BYTES_MAX, "the body is too long")
    NotifyFeishu.notify_url = f"{server.base}/feishu"
    notify = NotifyFeishu(token="0" * 8)
    notify.request_rate_per_sec = 0
    _, sent = server.sent_by(lambda: notify.send(filled(body["content"]["text"])))
    same(without(body, "timestamp", "sign"), sent)


def wecom(_request, body, server):
    text = filled(body["text"]["content"])
    need(len(text.encode()) <= NotifyWeComBot.body_maxlen, "the text is too long")
    mentioned = body["text"]["mentioned_mobile_list"]
    need(all(isinstance(number, str) for number in mentioned), "a number is not a text")
    NotifyWeComBot.notify_url = f"{server.base}/wecom"
    notify = NotifyWeComBot(key="key")
    notify.request_rate_per_sec = 0
    _, sent = server.sent_by(lambda: notify.send(text))
    same({**body, "text": without(body["text"], "mentioned_mobile_list")}, sent)


CHECKS = {check.__name__: check for check in (webhook, pagerduty, slack, teams, dingtalk, feishu, wecom)}


def problems(request, server):
    request["bytes"] = base64.b64decode(request["body"])
    try:
        media_type = request["headers"]["content-type"].split(";")[0]
        need(media_type == "application/json", f"the content type is {media_type}")
        need(int(request["headers"]["content-length"]) == len(request["bytes"]), "the length is wrong")
        CHECKS[request["kind"]](request, json.loads(request["bytes"].decode("utf-8")), server)
    # The packages have errors of their own, and a field that is missing is a KeyError.
    except Exception as error:  # pylint: disable=broad-except
        return [f"{type(error).__name__}: {error}"[:500]]
    return []


def main():
    requests, server = json.load(sys.stdin), Server()
    # What packages print is no answer.
    with redirect_stdout(sys.stderr):
        found = [problems(request, server) for request in requests]
    json.dump(found, sys.stdout)


main()
