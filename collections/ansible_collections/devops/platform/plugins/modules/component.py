#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of devops.platform.component; the action plugin of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component
short_description: Roll out a component as one transaction
version_added: 0.1.0
description:
  - A component is a release or packages, files, the way it runs and a probe, declared together. The host is compared
    with the declaration, and what differs is changed as one transaction. It is planned, staged, validated, switched and
    probed, and then kept or taken back.
  - One task is one round trip to the host, also for a list of components.
  - A run that was killed at any instant leaves a journal; the next run finishes the change or takes it back first.
  - A change that fails is taken back before the task ends, and the task says how the host stands.
author:
  - devops.platform maintainers (@devops-platform)
options:
  components:
    description: Several components, rolled out in this order; the first that fails ends the task. Instead of O(name).
    type: list
    elements: dict
    suboptions: &component
      name:
        description:
          - Name of the component, of the form C([a-z][a-z0-9_]*); each needs one. A V(unit) of ours is called like it.
        type: str
      state:
        description:
          - V(present) makes the declaration true.
          - V(absent) removes what the ledger on the host says is ours, and puts back what stood there before. Nothing
            else needs to be declared.
          - V(rolled_back) goes back to the generation before, or where O(components[].undo) or O(components[].to) say,
            from what is kept on the host; its packages from apt's cache, or from a package source. The generation that
            is left is forgotten, but for O(components[].to).
        type: str
        choices: [present, absent, rolled_back]
      undo:
        description:
          - With V(state=rolled_back), the id of a rollout; back to what the component was before it. Where it was not
            there, it becomes absent, but for directories with data.
          - Nothing is done, and a note says why, where that rollout did not change the component, or where a later one
            did since.
          - That generation is kept as long as no other rollout changes the component, whatever O(keep) says.
          - What V(state=absent) has removed does not come back.
        type: str
      to:
        description:
          - With V(state=rolled_back), the id of a rollout; to what the component was when that had ended. That is the
            newest generation that the rollout made or, where it made none and ids are of the form
            C(YYYYMMDDTHHMMSSZ-…), the newest one of an earlier rollout.
          - What is left stays in the history, so that one can go forward again. It fails where O(keep) did not reach.
        type: str
      transient:
        description:
          - A generation that is not worth going back to, for example while a host is out of rotation. It is not put
            into the history when it is replaced; and where what it replaced comes back, the ledger is as it was before.
        type: bool
      release:
        description:
          - A tar archive, a single program or a zip of one, pinned by its sha256. Versions are unpacked side by side
            below C(/opt/devops-platform/NAME/releases); the link C(/opt/devops-platform/NAME/current) leads to the one
            used.
        type: dict
        suboptions:
          artifact:
            description: Name in the artifact lock, which then gives everything but the version.
            type: str
          version:
            description: Version, as the lock spells it.
            type: str
            required: true
          url:
            description: Address, where no artifact is named. C({version}) and C({arch}) are filled in.
            type: str
          urls:
            description: Addresses, tried in this order.
            type: list
            elements: str
          sha256:
            description: Digest of the file by architecture, C(amd64) and C(arm64).
            type: dict
          strip:
            description: Leading parts of the paths in the archive that are dropped.
            type: int
          binaries:
            description: Programs that the release must hold; they are made executable.
            type: list
            elements: str
      expose:
        description: Programs of the release that are linked into C(/usr/local/bin).
        type: list
        elements: str
      user:
        description: System user, made if it is missing; a name, or a mapping.
        type: raw
        suboptions:
          name:
            description: Name of the user.
            type: str
            required: true
          group:
            description: Primary group, which must exist; without it a group of the same name is made.
            type: str
          home:
            description: Home directory; it is not made.
            type: str
          shell:
            description: Login shell.
            type: str
          groups:
            description: Further groups.
            type: list
            elements: str
      directories:
        description: Directories that are made if they are missing, and whose owner and mode are kept.
        type: list
        elements: dict
        suboptions:
          path:
            description: Absolute path.
            type: str
            required: true
          owner:
            description: Owner; root if left out.
            type: str
          group:
            description: Group; root if left out.
            type: str
          mode:
            description: Octal mode as quoted text; C("0755") if left out.
            type: str
          data:
            description: Whether it holds data, which V(state=absent) leaves alone unless V(purge=true).
            type: bool
      files:
        description:
          - The files of the component, all of them; one that is no longer listed is removed. A file that somebody else
            made is taken over; the original is kept, and comes back with V(state=absent).
          - Each needs one of V(template), V(content), V(source) and V(link).
        type: list
        elements: dict
        suboptions:
          path:
            description: Absolute path.
            type: str
            required: true
          template:
            description: Jinja template, found like those of M(ansible.builtin.template), rendered on the controller.
            type: str
          content:
            description: Content as it stands.
            type: str
          source:
            description: Text file on the controller, found like those of M(ansible.builtin.copy).
            type: str
          link:
            description: Target of a symbolic link.
            type: str
          owner:
            description: Owner; root if left out.
            type: str
          group:
            description: Group; root if left out.
            type: str
          mode:
            description: Octal mode as quoted text; C("0644") if left out.
            type: str
          validate:
            description:
              - Checker that must accept the file before it goes live. C(%s) is the staged copy, C({root}) a tree with
                the staged copies of all files, C({release}) the folder of the release. No shell sees the line.
            type: str
          on_change:
            description: What the service needs to take notice; V(restart) if left out.
            type: str
            choices: [none, reload, restart]
          reload_keys:
            description: For JSON files with V(on_change=restart); top-level keys for which a reload is enough.
            type: list
            elements: str
          live:
            description:
              - What of the kernel the file describes; M(devops.platform.drift) then compares that with the kernel too.
                A ruleset of nft(8), or settings of sysctl.d(5), V(machine_sysctl) where a container has no say in them.
              - The engine itself takes no notice.
            type: str
            choices: [nftables, sysctl, machine_sysctl]
      packages:
        description:
          - Packages that the component needs. A task before this one installs them; their versions are recorded.
          - Where one has another version than recorded, the plan says so, and whether there is a way back, from the
            local cache or from a package source. The probe is asked; where the change fails, the recorded version is
            put back.
          - V(state=rolled_back) puts back the version of that generation, or says beforehand that it stays, and why.
          - Only what stands here is put back. A package that must have the very version of another one needs that one
            beside it.
        type: list
        elements: str
      unit:
        description: Runs as a systemd unit of ours. C({release}) in V(exec), V(reload), V(stop) is the release in use.
        type: dict
        suboptions:
          exec:
            description: Command line, as systemd reads it.
            type: str
            required: true
          description:
            description: Title of the unit.
            type: str
          type:
            description: When systemd holds it for started; V(simple) if left out.
            type: str
            choices: [simple, exec, notify, forking, oneshot]
          reload:
            description: Command that makes it read its configuration again; needed by files with V(on_change=reload).
            type: str
          stop:
            description: Command that stops it, where a signal does not.
            type: str
          restart:
            description: When systemd starts it again by itself; V(on-failure) if left out.
            type: str
          user:
            description: User that it runs as; the component's if left out.
            type: str
          group:
            description: Group that it runs as; called like the user if left out.
            type: str
          after:
            description: Units that are started before.
            type: list
            elements: str
          environment:
            description: Environment variables. Secrets do not belong here, every user of the host can read them.
            type: dict
          hardening:
            description: Sandbox of systemd.exec(5); V(standard) if left out.
            type: str
            choices: [none, standard, strict]
          writable:
            description: Paths that it may write to in spite of the sandbox.
            type: list
            elements: str
          capabilities:
            description: Capabilities that it keeps, for example C(CAP_NET_BIND_SERVICE).
            type: list
            elements: str
          wanted_by:
            description: Targets that it starts with; C(multi-user.target) if left out.
            type: list
            elements: str
          timer:
            description:
              - When it runs, for a command that ends by itself (V(type=oneshot)). A timer of the component's name is
                what is enabled and running then; the command runs at its times alone, not when something changes.
              - A time at which the host was off is made up for when it is back.
            type: dict
            suboptions:
              calendar:
                description: C(OnCalendar) of systemd.timer(5), such as C(daily) or C(Sun 03:30).
                type: str
                required: true
          options:
            description: Further or other settings, a mapping by section of the unit file.
            type: dict
      service:
        description: Runs as a unit that a package brought.
        type: dict
        suboptions:
          name:
            description: Name of the unit.
            type: str
            required: true
      compose:
        description:
          - Runs as a Docker Compose project. Images must be named by digest; they are pulled before the switch.
        type: dict
        suboptions:
          project:
            description: Name of the project.
            type: str
            required: true
          file:
            description: Path of the Compose file, one of O(components[].files).
            type: str
            required: true
          wait:
            description: Seconds in which all services must be running or healthy; 120 if left out.
            type: int
      probe:
        description:
          - What must answer after a change; a mapping or a list of them. Each has one of V(http), V(tcp), V(command).
        type: raw
        suboptions:
          http:
            description: Address that is asked.
            type: str
          status:
            description: HTTP status that is expected; 200 if left out.
            type: int
          headers:
            description: Headers of the request.
            type: dict
          user:
            description: User name of the request, where the service asks for one (basic authentication).
            type: str
          password_file:
            description:
              - File on the host with the password of O(components[].probe.user). The password itself cannot stand in
                a probe, since the ledger keeps those.
            type: str
          certificate:
            description: File on the host with the certificate to show, where the service asks for one (TLS).
            type: str
          key:
            description: File on the host with the key of O(components[].probe.certificate).
            type: str
          tcp:
            description: Host and port that must take a connection.
            type: str
          send:
            description: Text to send over it.
            type: str
          expect:
            description: Regular expression that the answer must match.
            type: str
          command:
            description: Program and arguments, as a list or as a line.
            type: raw
          rc:
            description: Exit code that is expected of the command; 0 if left out.
            type: int
          contains:
            description: Text that the answer or output must hold.
            type: str
          timeout:
            description: Seconds after which the probe has failed; 10 if left out.
            type: float
      secrets:
        description:
          - Values by name, for templates as C(secrets.NAME). They appear nowhere but in files; diffs and messages show
            a keyed digest instead.
        type: dict
      keep:
        description:
          - Generations that are kept on the host, the present one included. If left out, C(platform.rollout.keep), or 3
            without that. One more where it is needed for O(components[].undo) of the last rollout.
          - What is over the number goes with the component's next change.
        type: int
      purge:
        description: With V(state=absent), remove directories with data as well.
        type: bool
  # The keys of a single component may stand at the top level as well.
  <<: *component
  rollout:
    description:
      - Id under which the ledger records the change.
      - If left out, the variable C(platform_rollout_id), or else one that is made for each run of C(ansible-playbook).
    type: str
  patience:
    description: Seconds to wait for the lock that another run holds; 2 if left out.
    type: float
  artifacts:
    description: Where releases come from; the variable C(platform.artifacts) if left out.
    type: dict
    suboptions:
      locks:
        description: Lock files, relative to the directory of C(ansible.cfg); a later one wins.
        type: list
        elements: str
        required: true
      sources:
        description: Base addresses of mirrors or bundles, and C(upstream), in the order in which they are tried.
        type: list
        elements: str
attributes:
  check_mode:
    support: full
    description: Plans everything, asks the checkers, and changes nothing.
  diff_mode:
    support: full
    description: Shows a unified diff of every changed path, with secrets masked.
  idempotent:
    support: full
    description: Does nothing, and downloads nothing, where nothing differs.
notes:
  - Needs root on the host, and systemd for V(unit) and V(service).
seealso:
  - module: devops.platform.rollback
"""

EXAMPLES = r"""
- name: Run an exporter from a pinned release
  devops.platform.component:
    name: node_exporter
    release: {artifact: node_exporter, version: "1.9.0"}
    user: node_exporter
    files:
      - path: /etc/node_exporter/web.yml
        content: "{}\n"
        on_change: none
    unit:
      exec: "{release}/node_exporter --web.config.file=/etc/node_exporter/web.yml"
      hardening: strict
    probe: {http: "http://127.0.0.1:9100/metrics", contains: node_exporter_build_info}

- name: Configure a server that a package brought
  devops.platform.component:
    name: edge
    packages: [nginx]
    files:
      - path: /etc/nginx/nginx.conf
        content: "events {}\nhttp { server { listen 8080; } }\n"
        validate: /usr/sbin/nginx -t -q -c %s
        on_change: reload
    service: {name: nginx}
    probe: {tcp: "127.0.0.1:8080"}

- name: Run a command each night
  devops.platform.component:
    name: sweep
    unit:
      exec: /usr/bin/find /var/cache/sweep -mtime +7 -delete
      type: oneshot
      hardening: strict
      writable: [/var/cache/sweep]
      timer: {calendar: "03:30"}

- name: Go back to the generation before
  devops.platform.component:
    name: edge
    state: rolled_back

- name: Take back what a rollout did to it
  devops.platform.component:
    name: edge
    state: rolled_back
    undo: 20260102T030405Z-4711

- name: Remove both, with their data
  devops.platform.component:
    components:
      - {name: edge, state: absent}
      - {name: node_exporter, state: absent, purge: true}
"""

RETURN = r"""
rollout:
  description: Id of the rollout that the change belongs to.
  returned: always
  type: str
  sample: 20260102T030405Z-4711
components:
  description: One result a component, in order; after a failure the later ones are missing.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the component.
      type: str
    changed:
      description: Whether anything changes, or was left over from a run that died.
      type: bool
    effect:
      description: What happens to the service. One of V(none), V(start), V(reload), V(restart) or V(stop).
      type: str
    plan:
      description: What changes, in order, as C({action, target, reason}).
      type: list
      elements: dict
    recovered:
      description: What was done with the change of a run that died. One of V(finished), V(taken back) or empty.
      type: str
    notes:
      description:
        - What check mode could not foresee, packages that a rollback has to leave as they are, and why there is nothing
          to undo.
      type: list
      elements: str
    generation:
      description: Head of the digest of what is declared now.
      type: str
    previous:
      description: Head of the digest of what was declared before.
      type: str
    failed:
      description: Whether it failed.
      type: bool
    step:
      description: Where it failed, for example V(validate), V(switch) or V(probe).
      type: str
    message:
      description: Why it failed, what the service said, and how the host stands.
      type: str
    seconds:
      description: How long it took on the host.
      type: float
"""
