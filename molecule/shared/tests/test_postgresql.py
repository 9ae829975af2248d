"""What the role postgresql promises, asked of the host."""

from __future__ import annotations

URL = "postgresql://chat:{password}@{address}/chat"


def test_the_declared_user_owns_the_declared_database(host, address):
    url = URL.format(password="molecule-database", address=address)
    assert host.check_output("psql %s -XAtc 'select current_user'", url) == "chat"


def test_a_wrong_password_is_refused(host, address):
    answer = host.run("psql %s -XAtc 'select 1'", URL.format(password="wrong", address=address))
    assert answer.failed
    assert "password authentication failed" in answer.stderr


def test_passwords_are_kept_as_scram(host):
    query = "select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = 'chat'"
    assert host.check_output("runuser -u postgres -- psql -XAtc %s", query) == "t"


def test_others_are_not_let_in(host, address):
    query = "select count(*) from pg_hba_file_rules where type like 'host%' and address in ('0.0.0.0', '::', 'all')"
    assert host.check_output("runuser -u postgres -- psql -XAtc %s", query) == "0"
