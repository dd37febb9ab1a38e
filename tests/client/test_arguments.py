"""What stands after the flags of a start, and which flag mends what."""

from cvdops.client.arguments import with_flags


def test_each_field_has_its_flag_once_and_a_variable_its_own() -> None:
    told = with_flags(
        [
            ("checklist.1", "One."),
            ("checklist.2", "Two."),
            ("MIN_MB", "MIN_MB is no number."),
            ("variables.SIZE", "SIZE is too long."),
            ("runbook", "It is broken."),
        ]
    )
    assert [message for _, message in told] == [
        "One.",
        "Two. Say it with --confirm-checklist.",
        "MIN_MB is no number. Say it with --var MIN_MB=VALUE.",
        "SIZE is too long. Say it with --var SIZE=VALUE.",
        "It is broken.",
    ]
