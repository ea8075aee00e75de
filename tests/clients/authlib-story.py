"""Authlib by its documentation: discovery, code with PKCE, a call, a refresh, revocation, sign-out."""

import os
import socket
import subprocess
import sys

# What stands in for TLS and a resolver in these tests: loopback alone.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve(
    "127.0.0.1" if isinstance(host, str) and host.endswith(".localhost") else host, *rest, **more
)

import requests  # noqa: E402
from authlib.common.security import generate_token  # noqa: E402
from authlib.integrations.requests_client import OAuth2Session  # noqa: E402
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url  # noqa: E402

issuer, api = sys.argv[1:]
redirect_uri = "com.example.phone:/callback"


def person(address, back):
    """A system browser, as the other clients' stories have it."""
    script = "import { person } from './person.mjs'; console.log((await person(...process.argv.slice(1))).href);"
    command = ["node", "--input-type=module", "-e", script, address, back]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


server = AuthorizationServerMetadata(requests.get(get_well_known_url(issuer, external=True), timeout=10).json())
assert server["issuer"] == issuer
assert server["authorization_response_iss_parameter_supported"] is True

session = OAuth2Session(
    "phone",
    scope="openid email",
    redirect_uri=redirect_uri,
    code_challenge_method="S256",
    token_endpoint_auth_method="none",
    revocation_endpoint_auth_method="none",
)
verifier = generate_token(48)
address, state = session.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier)
came_back = person(address, redirect_uri)
token = session.fetch_token(
    server["token_endpoint"], authorization_response=came_back, state=state, code_verifier=verifier
)
assert token["access_token"].startswith("crs_at_"), token
assert session.get(api).status_code == 200
assert session.get(server["userinfo_endpoint"]).json()["email"] == "alice@example.com"

first = token["refresh_token"]
renewed = session.refresh_token(server["token_endpoint"], refresh_token=first)
assert renewed["refresh_token"] != first
assert session.get(api).status_code == 200

answer = session.revoke_token(server["revocation_endpoint"], renewed["refresh_token"], token_type_hint="refresh_token")
assert answer.status_code == 200, answer.text
assert session.get(api).status_code == 401
print("done")
