"""What the role alertmanager promises, asked of the host."""

from __future__ import annotations


def test_it_runs_with_the_declared_configuration(host, fetch_json):
    service = host.service("alertmanager")
    assert service.is_running
    assert service.is_enabled
    status = fetch_json("http://127.0.0.1:9093/api/v2/status")
    assert "receiver: default" in status["config"]["original"]


def test_its_files_are_for_its_group_alone(host):
    for path in ("alertmanager.yml", "templates/platform.tmpl", "templates/settings.tmpl"):
        file = host.file(f"/etc/alertmanager/{path}")
        assert (file.user, file.group, file.mode) == ("root", "alertmanager", 0o640)
    assert host.file("/etc/alertmanager/secrets").mode == 0o750


def test_a_message_can_be_rendered(host):
    text = '{{ template "platform.sms" . }}'
    templates = "/etc/alertmanager/templates/*.tmpl"
    shown = host.run(f"amtool template render --template.glob='{templates}' --template.text='{text}'")
    assert shown.succeeded, shown.stderr
    assert shown.stdout.strip()


def test_its_tool_is_on_the_path(host):
    assert host.run("amtool check-config /etc/alertmanager/alertmanager.yml").succeeded
