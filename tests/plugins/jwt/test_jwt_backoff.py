"""Who guesses waits; who is guessed at does not."""

from __future__ import annotations

import pytest

from ccod_jwt import backoff
from ccod_jwt.backoff import REMEMBERED, Backoff
from ccod_jwt.refusals import RefusedError


class Watch:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def wait(guard: Backoff, email: str, address: str) -> float:
    """Attempt, and return how long that must wait."""
    try:
        guard.attempt(email, address)
    except RefusedError as refused:
        return refused.wait
    return 0.0


def guesses(guard: Backoff, watch: Watch, seconds: float, email: str, address: str) -> int:
    """Guess as often as possible for a time, and return how many guesses are tried."""
    until, tried = watch.now + seconds, 0
    while watch.now < until:
        pause = wait(guard, email, address)
        tried += pause == 0
        watch.now += pause
    return tried


def test_few_mistakes_cost_nothing_and_guessing_gets_slow() -> None:
    watch = Watch()
    guard = Backoff(watch)
    assert [wait(guard, "me", "a") for _ in range(5)] == [0.0] * 5
    assert wait(guard, "me", "a") == 1.0
    assert wait(guard, "me", "a") == 1.0, "asking in a pause does not lengthen it"
    assert guesses(guard, watch, 86400, "me", "a") < 120


def test_an_address_that_tries_many_accounts_gets_slow() -> None:
    watch = Watch()
    guard = Backoff(watch)
    tried = sum(wait(guard, f"user {number}", "a") == 0 for number in range(1000))
    assert tried == 20
    assert wait(guard, "me", "b") == 0


def test_a_thousand_addresses_delay_an_account_for_seconds_and_not_where_it_logged_in() -> None:
    watch = Watch()
    guard = Backoff(watch)
    guard.attempt("me", "home")
    guard.succeeded("me", "home")
    tried = sum(wait(guard, "me", f"address {number}") == 0 for number in range(1000))
    assert tried <= 21
    assert 0 < wait(guard, "me", "abroad") <= 5
    assert wait(guard, "me", "home") == 0


def test_success_takes_back_what_was_counted() -> None:
    watch = Watch()
    guard = Backoff(watch)
    for _ in range(500):
        guard.attempt("me", "home")
        guard.succeeded("me", "home")
    assert wait(guard, "me", "home") == 0


def test_an_own_account_does_not_wash_guesses_away() -> None:
    watch = Watch()
    guard = Backoff(watch)
    tried = 0
    for number in range(1000):
        own = wait(guard, "mallory", "a") == 0
        tried += wait(guard, f"user {number}", "a") == 0
        if own:
            guard.succeeded("mallory", "a")
    assert tried <= 20


def test_after_a_quiet_hour_all_is_forgotten() -> None:
    watch = Watch()
    guard = Backoff(watch)
    guesses(guard, watch, 600, "me", "a")
    watch.now += 900 + backoff.FORGET_SECONDS + 1
    assert [wait(guard, "me", "a") for _ in range(5)] == [0.0] * 5


def test_memory_is_bounded() -> None:
    guard = Backoff(Watch())
    for number in range(REMEMBERED + 500):
        guard.attempt(f"user {number}", f"address {number}")
        guard.succeeded(f"user {number}", f"address {number}")
        guard.attempt(f"nobody {number}", f"address {number}")
    for pauses in (guard._pairs, guard._addresses, guard._accounts):
        assert len(pauses._tallies) <= REMEMBERED
    assert len(guard._good) <= REMEMBERED


def test_the_pause_of_a_pair_ends_within_a_quarter_of_an_hour() -> None:
    watch = Watch()
    guard = Backoff(watch)
    for _ in range(200):
        pause = wait(guard, "me", "a")
        assert pause <= 900
        watch.now += pause


def test_a_refused_attempt_says_how_long_to_wait() -> None:
    guard = Backoff(Watch())
    for _ in range(5):
        guard.attempt("me", "a")
    with pytest.raises(RefusedError) as refused:
        guard.attempt("me", "a")
    assert (refused.value.code, refused.value.wait) == ("RATE_LIMIT_EXCEEDED", 1.0)
