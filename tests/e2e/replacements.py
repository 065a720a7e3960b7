"""What plays each role instead of the built-in plugin, by configuration alone, and which tests that leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import bcrypt
from msgspec import Struct

FORGETFUL = '''
"""Keeps no answer at all."""

from ccod import Cache, hookimpl


class Forgetful(Cache):
    async def __aexit__(self, *_):
        pass

    async def get(self, key):
        return None

    async def put(self, key, value):
        pass


@hookimpl
def ccod_cache():
    return Forgetful()
'''
ROUND = '''
"""Every token of every model costs a microdollar."""

from ccod import Charge, Cost, hookimpl


class Round:
    version = "round"

    def cost(self, response, at):
        if not response.is_billed:
            return None
        count = response.usage.total_tokens
        return Cost(1000 * count, (Charge("token", count, 1000),))


@hookimpl
def ccod_prices():
    return Round()
'''

HERE = "tests/e2e"
SMOKE = (
    f"{HERE}/test_replaced.py",
    f"{HERE}/test_live.py::test_what_is_broadcast_can_be_read_and_the_conversation_follows",
    f"{HERE}/test_live.py::test_a_deleted_transcript_stays_readable",
)

OF_THEMSELVES = {
    f"{HERE}/test_first_five_minutes.py": "plays the pages' commands in a home of its own",
    f"{HERE}/test_first_readme.py": "plays the pages' commands in a home of its own",
    f"{HERE}/test_contributing.py": "plays the pages' commands in a home of its own",
    f"{HERE}/test_plugin_guide.py": "plays the tutorial in a home of its own, and replaces roles by itself",
    f"{HERE}/test_development.py": "starts the daemon by make, of the sources",
    f"{HERE}/test_systemd.py": "lets systemd judge the units, starts nothing",
    f"{HERE}/test_truth_figures.py": "opens the built-in storage, source and parser itself",
}
"""Left out each time: they would run on the built-ins whatever is replaced."""


class Replacement(Struct, frozen=True):
    """`variables` configure it; `file` is the text of a one-file plugin. `asked`: which plugin is asked which hook.

    `tests` are run, of which a quick run takes `smoke`; `left_out` are files or single tests with the reason.
    """

    role: str
    plugin: str
    asked: Sequence[str]
    distribution: str = "ccod"
    variables: Mapping[str, str] = {}
    tests: Sequence[str] = (HERE,)
    smoke: Sequence[str] = SMOKE
    left_out: Mapping[str, str] = {}
    file: str = ""

    def configuration(self, folder: Path, url: str) -> dict[str, str]:
        """Return the variables that every daemon gets; what they name is made in `folder`, or answers at `url`."""
        found = {"CCOD_LOAD_PLUGINS": self.distribution, **self.variables}
        if self.file:
            plugins = folder / "plugins"
            plugins.mkdir(mode=0o700)
            (plugins / f"{self.plugin}.py").write_text(self.file)
            (plugins / f"{self.plugin}.py").chmod(0o600)
            found["CCOD_PLUGINS_DIR"] = str(plugins)
        if self.plugin == "basic":
            passwords = folder / "htpasswd"
            passwords.write_bytes(b"ada:" + bcrypt.hashpw(b"lovelace", bcrypt.gensalt(4)).replace(b"$2b$", b"$2y$"))
            passwords.chmod(0o600)
            found["CCOD_BASIC__FILE"] = str(passwords)
        if self.plugin == "webhook":
            found["CCOD_WEBHOOK__URL"] = url
        return found


ACCOUNTS = "is about accounts, tokens or API keys"
OF_A_FILE = "is about the file of the database, or reads it"
CLAUDE = "is about transcripts of Claude Code, which nobody reads"
LIST_PRICES = "checks amounts of the list prices"
CODEX_ALONE = "contrib/ccod-codex/tests/test_codex_alone.py"
STDOUT = "contrib/ccod-stdout/tests"

REPLACEMENTS = (
    Replacement(
        "storage",
        "sqlcipher",
        ["sqlcipher ccod_storage"],
        "ccod-sqlcipher",
        {
            "CCOD_STORAGE": "sqlcipher",
            "CCOD_SQLCIPHER__KEY": "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        },
    ),
    Replacement(
        "storage",
        "postgres",
        ["postgres ccod_storage"],
        variables={
            "CCOD_STORAGE": "postgres",
            "CCOD_JWT__SIGHT": "all",  # each home has a database of its own, as with a file
            "CCOD_JWT__SECRET": "hR7_vXq2mLw9Kd4tYb8sNz3fJp6gCe1a",
        },
        left_out={
            f"{HERE}/{name}": OF_A_FILE
            for name in (
                "test_accounts.py::test_nobody_else_can_read_the_files_beside_the_database",
                "test_archive.py::test_deleted_files_come_back_byte_for_byte",
                "test_archive.py::test_the_forgotten_stays_forgotten",
                "test_archive.py::test_what_a_file_held_before_it_was_rewritten_is_restored_on_demand",
                "test_command_words.py::test_a_file_that_is_there_already_or_no_backup_is_refused",
                "test_command_words.py::test_each_exit_code_has_one_meaning[arguments16-1",
                "test_command_words.py::test_each_exit_code_has_one_meaning[arguments17-1",
                "test_command_words.py::test_each_exit_code_has_one_meaning[arguments18-1",
                "test_database_commands.py",
                "test_doctor.py::test_what_can_be_wrong_while_the_daemon_is_down",
                "test_doctor_mends.py::test_the_command_mends[backup-",
                "test_doctor_mends.py::test_the_command_mends[database-",
                "test_doctor_mends.py::test_the_command_mends[file-modes-",
                "test_doctor_mends.py::test_the_daemon_puts_a_database_back_into_wal_mode",
                "test_start.py::test_a_bad_configuration_is_one_line[a-database",
                "test_start.py::test_a_bad_configuration_is_one_line[no-storage]",
                "test_start.py::test_a_second_daemon_on_one_database_names_the_first",
                "test_start.py::test_strange_surroundings_do_not_keep_it_from_starting",
                "test_stop.py::test_it_stops_in_time_while_another_program_holds_the_database",
                "test_truth.py",
                "test_vacuum.py",
            )
        }
        | {
            f"{HERE}/test_sight.py": "has two daemons at one database, on a server of its own too",
            f"{HERE}/test_watch_limits.py": "has the daemon in a namespace whose user the server does not let in",
        },
    ),
    Replacement(
        "auth",
        "basic",
        ["basic ccod_auth"],
        "ccod-basic-auth",
        {"CCOD_AUTH": "basic"},
        left_out={
            f"{HERE}/test_access.py": ACCOUNTS,
            f"{HERE}/test_accounts.py::test_accounts_and_keys_by_the_command_line": ACCOUNTS,
            f"{HERE}/test_accounts.py::test_accounts_logins_and_log_outs_outlive_a_kill": ACCOUNTS,
            f"{HERE}/test_accounts.py::test_nobody_else_can_read_the_files_beside_the_database": ACCOUNTS,
            f"{HERE}/test_accounts.py::test_a_password_typed_on_a_terminal_is_not_shown": ACCOUNTS,
            f"{HERE}/test_command_words.py::test_where_there_is_nothing_a_line_says_so[token": ACCOUNTS,
            f"{HERE}/test_command_words.py::test_where_there_is_nothing_a_line_says_so[user": ACCOUNTS,
            f"{HERE}/test_command_words.py::test_each_exit_code_has_one_meaning[token]": ACCOUNTS,
            f"{HERE}/test_command_words.py::test_the_chosen_auth_is_not_left_out": "names the built-in auth",
        },
    ),
    Replacement(
        "source, parser",
        "codex",
        ["codex ccod_sources", "codex ccod_parsers"],
        "ccod-codex",
        {"CCOD_DISABLE": "claude"},
        tests=[HERE, CODEX_ALONE],
        smoke=[f"{HERE}/test_replaced.py", f"{CODEX_ALONE}::test_a_line_in_two_halves_is_broadcast_once_and_in_order"],
        left_out={
            f"{HERE}/{name}": CLAUDE
            for name in (
                "test_archive.py::test_deleted_files_come_back_byte_for_byte",
                "test_archive.py::test_the_forgotten_stays_forgotten",
                "test_archive.py::test_what_a_file_held_before_it_was_rewritten_is_restored_on_demand",
                "test_bad_input.py",
                "test_command_words.py::test_a_conversation_is_exported",
                "test_command_words.py::test_a_narrow_terminal",
                "test_command_words.py::test_a_reader_that_has_seen_enough",
                "test_command_words.py::test_without_a_terminal",
                "test_corpus_numbers.py",
                "test_demo.py",
                "test_doctor.py::test_a_daemon_that_is_well",
                "test_doctor.py::test_a_transcript_that_goes_soon_and_is_not_stored",
                "test_doctor.py::test_for_a_person_it_names_what_is_wrong_and_the_command",
                "test_doctor.py::test_what_can_be_wrong_while_the_daemon_is_down",
                "test_doctor_mends.py::test_a_service_that_is_not_well",
                "test_doctor_mends.py::test_the_command_mends[roots-",
                "test_doctor_mends.py::test_the_command_mends[watcher-",
                "test_doctor_mends.py::test_what_no_command_mends",
                "test_live.py",
                "test_metrics.py::test_figures_of_a_known_history_are_right",
                "test_metrics.py::test_hostile_transcripts_make_no_labels",
                "test_metrics.py::test_requests_and_sockets_are_counted",
                "test_reuse.py",
                "test_sessions.py",
                "test_start.py::test_a_bad_configuration_is_one_line[a-negative-duration]",
                "test_status.py",
                "test_stop.py::test_it_stops_in_time_while_another_program_holds_the_database",
                "test_stop.py::test_it_stops_in_time_with_stuck_and_healthy_clients",
                "test_tail.py",
                "test_third_party.py::test_the_command_tells",
                "test_truth.py",
                "test_truth_served.py",
                "test_usage.py",
                "test_vacuum.py",
                "test_watch_limits.py",
            )
        }
        | {
            f"{HERE}/{name}": "leaves out plugins by the setting that leaves out `claude` here"
            for name in (
                "test_command_words.py::test_what_a_left_out_plugin",
                "test_doctor_mends.py::test_the_command_mends[check-failed-",
                "test_doctor_mends.py::test_the_command_mends[plugins-",
                "test_doctor_mends.py::test_what_was_left_out_before",
            )
        },
    ),
    Replacement(
        "cache",
        "forgetful",
        ["forgetful ccod_cache"],
        variables={"CCOD_CACHE": "forgetful"},
        file=FORGETFUL,
    ),
    Replacement(
        "cache",
        "redis",
        ["redis ccod_cache"],
        variables={"CCOD_CACHE": "redis"},
    ),
    Replacement(
        "prices",
        "round",
        ["round ccod_prices"],
        variables={"CCOD_PRICES": "round"},
        left_out={
            f"{HERE}/{name}": LIST_PRICES
            for name in (
                "test_metrics.py::test_figures_of_a_known_history_are_right",
                "test_truth.py",
                "test_truth_served.py",
                "test_usage.py",
            )
        },
        file=ROUND,
    ),
    Replacement(
        "transport, beside",
        "stdout",
        ["stdout ccod_transports"],
        "ccod-stdout",
    ),
    Replacement(
        "transports",
        "stdout",
        ["stdout ccod_transports"],
        "ccod-stdout",
        {"CCOD_DISABLE": "http,rest,ws"},
        tests=[STDOUT],
        smoke=[f"{STDOUT}/test_stdout_served.py::test_it_is_the_only_way_out_where_the_others_are_left_out"],
    ),
    Replacement(
        "sink",
        "webhook",
        ["webhook ccod_sinks"],
        "ccod-webhook",
        {"CCOD_WEBHOOK__SECRET": "a key that both sides know"},
    ),
)
