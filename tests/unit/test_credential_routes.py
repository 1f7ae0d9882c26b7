"""Second factor, keys, people and approvals over HTTP, behind the whole gateway."""

from pathlib import Path

import httpx
import pyotp
import pytest

from plan2.connectivity.identity.local_access import Access
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.rights import Role
from plan2.foundation.values import NS_PER_SECOND
from unit.credential_fixtures import CredentialStage
from unit.credential_gateway import CredentialGateway
from unit.identity_fixtures import HOME, OTHER
from unit.test_second_factor import code_of, enrolled

NEW = "eleven quiet lamps in the fog"
FACTOR = "/api/v1/second-factor"


async def started(folder: Path | None = None) -> tuple[CredentialStage, CredentialGateway, User]:
    """A gateway, and an administrator named root."""
    stage = CredentialStage()
    await stage.start()
    root = await stage.add("root", Role.TENANT_ADMIN)
    return stage, CredentialGateway(stage, folder), root


async def trusted(gateway: CredentialGateway, user: User) -> tuple[httpx.AsyncClient, str]:
    """A browser of somebody with a second factor, and its secret."""
    stage = gateway.stage
    secret, _ = await enrolled(stage, user)
    client = await gateway.signed_in(user.name, code_of(stage, secret), user.tenant_id)
    stage.later(30)
    return client, secret


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


async def test_an_administrator_sets_a_second_factor_up_first() -> None:
    """Everything else is closed until the first code is right; then it is open."""
    stage, gateway, _ = await started()
    async with await gateway.signed_in("root") as client:
        info = (await client.get(FACTOR)).json()
        assert (info["is_enrolled"], info["is_required"], info["must_enrol"]) == (False, True, True)
        for path in ("/api/v1/users", "/api/v1/people", "/api/v1/keys", "/api/v1/approvals"):
            assert told(await client.get(path)) == (403, "second_factor_required")
        early = await client.post(f"{FACTOR}/confirm", json={"code": "123456"})
        assert told(early) == (409, "nothing_begun")
        begun = (await client.post(FACTOR)).json()
        code = pyotp.parse_uri(begun["uri"]).at(stage.clock.now_ns() // NS_PER_SECOND)  # type: ignore[union-attr]
        wrong = await client.post(
            f"{FACTOR}/confirm", json={"code": f"{(int(code) + 1) % 10**6:06}"}
        )
        assert told(wrong) == (422, "code_wrong")
        done = await client.post(f"{FACTOR}/confirm", json={"code": code})
        assert (done.status_code, len(done.json()["backup_codes"])) == (201, 10)
        assert (await client.get("/api/v1/users")).status_code == 200
        again = (await client.get(FACTOR)).json()
        assert (again["is_enrolled"], again["backup_codes_left"]) == (True, 10)
        assert done.json()["backup_codes"][0] not in str(again)
        assert told(await client.post(f"{FACTOR}/confirm", json={"code": code}))[0] == 409


async def test_a_proof_is_good_for_five_minutes() -> None:
    """R-081: later a key is refused until the person proves who they are again."""
    stage, gateway, root = await started()
    client, secret = await trusted(gateway, root)
    async with client:
        stage.later(300)
        asked = {"label": "bot", "scopes": ["read"], "days": 1}
        assert told(await client.post("/api/v1/keys", json=asked)) == (403, "step_up_needed")
        assert told(await client.delete(FACTOR)) == (403, "step_up_needed")
        alone = await client.post("/api/v1/session/prove", json={"password": NEW})
        assert told(alone) == (401, "code_needed")
        changed = await client.put("/api/v1/password", json={"old": "", "new": NEW})
        assert told(changed) == (403, "step_up_needed")
        assert (await client.get("/api/v1/session")).json()["has_second_factor"]
        proof = {"code": code_of(stage, secret)}
        proven = await client.post("/api/v1/session/prove", json=proof)
        assert proven.status_code == 201
        client.headers["x-plan2-csrf"] = proven.json()["csrf"]
        assert (await client.post("/api/v1/keys", json=asked)).status_code == 201
        assert (await client.post(f"{FACTOR}/backup-codes")).status_code == 201
        assert (await client.delete(FACTOR)).status_code == 204
        assert told(await client.get("/api/v1/keys")) == (403, "second_factor_required")


async def test_from_invitation_to_sign_in() -> None:
    """The page works without scripts, says what is wrong, and leads to a password."""
    _, gateway, root = await started()
    client, _ = await trusted(gateway, root)
    async with client:
        made = (
            await client.post("/api/v1/users", json={"name": "ann<b>", "role": "Analyst"})
        ).json()
        assert made["link"] == f"http://127.0.0.1:8420/join?token={made['token']}"
        users = (await client.get("/api/v1/users")).json()["items"]
        assert [(each["name"], each["state"]) for each in users] == [
            ("ann<b>", "invited"),
            ("root", "active"),
        ]
        taken = await client.post("/api/v1/users", json={"name": "ROOT", "role": "Analyst"})
        assert told(taken) == (422, "input_invalid")
    async with gateway.client() as visitor:
        page = await visitor.get(made["link"])
        assert page.status_code == 200
        assert "ann&lt;b&gt;" in page.text
        assert "ann<b>" not in page.text
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
        short = await visitor.post("/join", data={"token": made["token"], "password": "short"})
        assert (short.status_code, "at least 15" in short.text) == (422, True)
        done = await visitor.post("/join", data={"token": made["token"], "password": NEW})
        assert (done.status_code, "Sign in" in done.text) == (200, True)
        for gone in (
            await visitor.get(made["link"]),
            await visitor.get("/join"),
            await visitor.post("/join", data={"token": made["token"], "password": NEW}),
        ):
            assert (gone.status_code, "unknown, already used" in gone.text) == (410, True)
        asked = {"tenant": HOME, "name": "ANN<B>", "password": NEW}
        assert (await visitor.post("/api/v1/signin", json=asked)).status_code == 201


async def test_joining_by_program() -> None:
    """A name of one's own; unfit passwords and dead links have their codes."""
    _, gateway, root = await started()
    client, _ = await trusted(gateway, root)
    async with client:
        body = {"name": "ann", "role": "Portfolio_Manager"}
        token = (await client.post("/api/v1/users", json=body)).json()["token"]
    async with gateway.client() as visitor:
        path = "/api/v1/join"
        unfit = await visitor.post(path, json={"token": token, "password": "x"})
        assert told(unfit) == (422, "password_unfit")
        right = {"token": token, "password": NEW, "name": "Ann M"}
        joined = await visitor.post(path, json=right)
        assert joined.status_code == 200
        assert joined.json()["name"] == "Ann M"
        assert told(await visitor.post(path, json=right)) == (410, "invitation_gone")


async def test_a_program_with_a_key() -> None:
    """It may look; it may not do what its scope, or any program, may not; revoked it is nobody."""
    _, gateway, root = await started()
    client, _ = await trusted(gateway, root)
    async with client:
        asked = {"label": "bot", "scopes": ["read"], "days": 30, "networks": ["127.0.0.0/8"]}
        made = (await client.post("/api/v1/keys", json=asked)).json()
        far = (await client.post("/api/v1/keys", json={**asked, "networks": ["10.0.0.0/8"]})).json()
        third = await client.post("/api/v1/keys", json=asked)
        assert told(third) == (422, "too_many_keys")
        async with gateway.client(authorization=f"Bearer {made['key']}") as bot:
            assert (await bot.get("/api/v1/people")).status_code == 200
            for refused in (
                await bot.get("/api/v1/keys"),
                await bot.get("/api/v1/users"),
                await bot.post("/api/v1/keys", json=asked),
                await bot.post("/api/v1/users", json={"name": "x", "role": "Analyst"}),
                await bot.get(FACTOR),
                await bot.get("/api/v1/approvals"),
            ):
                assert refused.status_code == 403
            body = {"kind": "limit_override", "payload": {"limit": 5}, "reason": ""}
            assert told(await bot.post("/api/v1/approvals", json=body)) == (403, "scope_missing")
            listed = (await client.get("/api/v1/keys")).json()["items"]
            assert [each["state"] for each in listed] == ["good", "good"]
            assert made["key"][-43:] not in str(listed)
            uses = {each["key_id"]: each["last_used_us"] for each in listed}
            assert uses[made["item"]["key_id"]] is not None
            gone = await client.delete(f"/api/v1/keys/{made['item']['key_id']}")
            assert gone.status_code == 204
            assert told(await bot.get("/api/v1/people")) == (401, "signed_out")
        async with gateway.client(authorization=f"Bearer {far['key']}") as bot:
            assert told(await bot.get("/api/v1/people")) == (401, "signed_out")


async def test_keys_and_people_of_another_tenant_are_not_there() -> None:
    """The answer is, id aside, the same as for an id that nobody has."""
    stage, gateway, root = await started()
    eve = await stage.add("eve", Role.TENANT_ADMIN, OTHER)
    ann = await stage.add("ann")
    theirs, _ = await trusted(gateway, eve)
    async with theirs:
        asked = {"label": "bot", "scopes": ["read"], "days": 30}
        key_id = (await theirs.post("/api/v1/keys", json=asked)).json()["item"]["key_id"]
        proposal = await stage.approvals.propose(
            stage.session(eve), "limit_override", {"limit": 1}, ""
        )
    mine, _ = await trusted(gateway, root)
    trader, _ = await trusted(gateway, ann)
    async with mine, trader:
        for pattern, method, body, real in (
            ("/api/v1/keys/{}", "DELETE", None, key_id),
            ("/api/v1/users/{}", "PATCH", {"name": "x"}, eve.user_id),
            ("/api/v1/users/{}/reset", "POST", {}, eve.user_id),
            ("/api/v1/approvals/{}/refuse", "POST", {}, proposal.approval_id),
        ):
            seen = []
            for each in (real, "0" * len(real)):
                answer = await mine.request(method, pattern.format(each), json=body)
                found = answer.json()
                assert answer.status_code == 404
                seen.append(
                    {k: str(v).replace(each, "…") for k, v in found.items() if k != "request_id"}
                )
            assert seen[0] == seen[1]
        root_key = (await mine.post("/api/v1/keys", json=asked)).json()["item"]["key_id"]
        assert told(await trader.delete(f"/api/v1/keys/{root_key}")) == (404, "not_found")
        assert told(await trader.get("/api/v1/keys", params={"all": "true"})) == (403, "forbidden")
        everyones = (await mine.get("/api/v1/keys", params={"all": "true"})).json()["items"]
        assert [each["key_id"] for each in everyones] == [root_key]


async def test_four_eyes_over_http() -> None:
    """Proposed by one, shown to the other with its hash, approved, carried out, told."""
    stage, gateway, root = await started()
    ann = await stage.add("ann")
    mine, _ = await trusted(gateway, root)
    theirs, _ = await trusted(gateway, ann)
    async with mine, theirs:
        body = {"kind": "limit_override", "payload": {"limit": 5}, "reason": "news"}
        made = (await mine.post("/api/v1/approvals", json=body)).json()
        assert (made["may_decide"], made["why_not"] != "") == (False, True)
        path = f"/api/v1/approvals/{made['approval_id']}"
        agreed = {"content_hash": made["content_hash"], "reason": "fine"}
        assert told(await mine.post(f"{path}/approve", json=agreed)) == (403, "own_proposal")
        (shown,) = (await theirs.get("/api/v1/approvals")).json()["items"]
        assert (shown["payload"], shown["may_decide"]) == ({"limit": 5}, True)
        other = {"content_hash": "0" * 64}
        assert told(await theirs.post(f"{path}/approve", json=other)) == (409, "content_changed")
        done = await theirs.post(f"{path}/approve", json=agreed)
        assert (done.status_code, done.json()["outcome"]) == (200, "done: the limit is raised")
        assert told(await theirs.post(f"{path}/refuse", json={})) == (409, "already_decided")
        wrong = await mine.post("/api/v1/approvals", json={**body, "payload": {"x": 1}})
        assert told(wrong) == (422, "input_invalid")
        left = await theirs.get("/api/v1/approvals", params={"state": "open"})
        assert left.json()["items"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/keys", {"label": "x", "scopes": ["read"], "days": 366}),
        ("/api/v1/keys", {"label": "x", "scopes": [], "days": 1}),
        ("/api/v1/keys", {"label": "x", "scopes": ["root"], "days": 1}),
        ("/api/v1/keys", {"label": "x", "scopes": ["read"], "more": 1}),
        ("/api/v1/users", {"name": "x" * 65, "role": "Analyst"}),
        ("/api/v1/users", {"name": "x", "role": "King"}),
        ("/api/v1/approvals", {"kind": "A", "payload": {}, "reason": ""}),
        ("/api/v1/approvals", {"kind": "limit_override", "payload": [], "reason": ""}),
        (f"{FACTOR}/confirm", {"code": "1" * 17}),
    ],
)
async def test_bodies_are_checked(path: str, body: dict[str, object]) -> None:
    """400 and the field, before anything is done."""
    _, gateway, root = await started()
    client, _ = await trusted(gateway, root)
    async with client:
        assert (await client.post(path, json=body)).status_code == 400


async def test_the_key_of_this_machine_has_no_second_factor() -> None:
    """And makes keys only in the name of somebody who exists."""
    stage, _, root = await started()
    gateway = CredentialGateway(stage, Path("unwritten"))
    assert gateway.local is not None
    token = gateway.local._token
    access = Access(url="http://127.0.0.1:8420", token=token, pid=1)
    async with gateway.client(**access.headers("me")) as client:
        assert told(await client.post(FACTOR)) == (403, "not_a_person")
        asked = {"label": "bot", "scopes": ["read"], "days": 1}
        assert told(await client.post("/api/v1/keys", json=asked)) == (422, "input_invalid")
        named = await client.post("/api/v1/keys", json={**asked, "user_id": root.user_id})
        assert named.status_code == 201
