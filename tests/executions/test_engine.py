"""The engine on a real database and real processes: what a run does, step by step."""

from cvdops.executions.models import Execution
from tests.executions.scene import Scene
from tests.waiting import until


def block(key: str, script: str, attributes: str = "", kind: str = "bash") -> str:
    """A step of the runbook."""
    return f"#### {key}\n\n```{kind} {{#{key} {attributes}}}\n{script}\n```\n\n"


def test_steps_run_in_order_and_their_output_is_kept(scene: Scene) -> None:
    scene.runbook(block("one", "echo first") + block("two", "echo second; echo third"))
    execution = scene.run()
    assert execution.state == "succeeded"
    assert scene.output(execution, "one") == "first\n"
    assert scene.output(execution, "two") == "second\nthird\n"


def test_the_shell_names_the_step_in_what_it_complains_of(scene: Scene) -> None:
    scene.runbook(block("Restart_Web", "true\nnosuchcommand"))
    said = "restart-web: line 2: nosuchcommand: command not found\n"
    assert scene.output(scene.run(), "Restart_Web") == said


def test_variables_and_directory_carry_over(scene: Scene) -> None:
    scene.runbook(block("one", "NAME='a \"b\" $c'; cd /usr") + block("two", 'echo "$NAME"; pwd'))
    assert scene.output(scene.run(), "two") == 'a "b" $c\n/usr\n'


def test_arrays_are_said_not_to_carry_over(scene: Scene) -> None:
    scene.runbook(block("one", "declare -A MAP=([a]=b); LIST=(1 2); declare -a NONE; NAME=x"))
    note = scene.steps(scene.run())["one"].note
    assert note == "Not carried over (arrays, too large, or not text): LIST, MAP."


def test_a_value_stays_a_value(scene: Scene) -> None:
    scene.runbook(
        block("one", "printf '%s' \"${NAME}\""), extra="variables: {NAME: {required: true}}\n"
    )
    hostile = '"; touch /tmp/never; $(touch /tmp/never) `id` \\'
    execution = scene.run(variables={"NAME": hostile})
    assert scene.output(execution, "one") == hostile


def test_a_failed_step_waits_and_offers_a_retry(scene: Scene) -> None:
    scene.runbook(block("one", "test -e ok || exit 3") + block("two", "echo done"))
    execution = scene.run()
    assert execution.state == "waiting"
    assert execution.waiting_for["code"] == "step"
    assert scene.steps(execution)["one"].exit_code == 3
    assert scene.states(execution)["two"] == "pending"


def test_retry_attributes_try_again_by_themselves(scene: Scene, tmp_path) -> None:
    mark = tmp_path / "tried"
    script = f"test -e {mark} || {{ touch {mark}; exit 1; }}"
    scene.runbook(block("one", script, "retry=1 backoff=1s"))
    execution = scene.run()
    assert execution.state == "waiting"
    assert execution.waiting_for["code"] == "retry"
    until(lambda: scene.advance(execution).state == "succeeded", what="the second try")
    assert scene.steps(execution)["one"].attempt_count == 2


def test_a_timeout_ends_the_whole_process_group(scene: Scene) -> None:
    scene.runbook(block("one", "sleep 300 & sleep 300", "timeout=1s"))
    execution = scene.run()
    step = scene.steps(execution)["one"]
    assert step.state == "timed_out"
    assert "verified" in step.note


def test_a_false_condition_skips_with_its_reason(scene: Scene) -> None:
    scene.runbook(block("one", "echo no", 'when="ENVIRONMENT == production"'))
    execution = scene.run()
    assert execution.state == "succeeded"
    assert "is not true" in scene.steps(execution)["one"].note


def test_a_checkpoint_fails_by_its_sample(scene: Scene) -> None:
    sample = "```output\nhealthy\n```\n"
    scene.runbook(block("one", "echo sick", "checkpoint") + sample)
    execution = scene.run()
    step = scene.steps(execution)["one"]
    assert (execution.state, step.state, step.sample) == ("waiting", "failed", "differs")


def test_capture_makes_a_variable(scene: Scene) -> None:
    scene.runbook(block("one", "echo 42", "capture=ANSWER") + block("two", 'echo "$ANSWER"'))
    assert scene.output(scene.run(), "two") == "42\n"


def test_a_gate_for_two_says_how_many_have_approved(scene: Scene) -> None:
    body = "approvers: [operations-manager, cto]\nrequired: 2"
    scene.runbook(block("gate", body, kind="approval") + block("after", "echo on"))
    execution = scene.run()
    assert execution.waiting_for["text"] == "Approval 0 of 2: gate"
    scene.approve(execution)
    execution.refresh_from_db()
    assert execution.waiting_for["text"] == "Approval 1 of 2: gate"
    scene.approve(execution, by="cto")
    assert scene.advance(execution).state == "succeeded"


def test_a_gate_waits_in_no_worker_and_goes_on_when_approved(scene: Scene) -> None:
    gate = block("gate", "approvers: [operations-manager]", kind="approval")
    scene.runbook(gate + block("after", "echo on"))
    execution = scene.run()
    assert (execution.state, execution.lease_until) == ("waiting", None)
    scene.approve(execution)
    assert scene.advance(execution).state == "succeeded"


def test_rollback_undoes_in_reverse_order_with_the_variables_of_the_session(scene: Scene) -> None:
    steps = block("one", "A=first", "destructive rollback=undo-one")
    steps += block("two", "B=second", "destructive rollback=undo-two")
    steps += block("three", "false", "on-failure=rollback")
    undo = block("undo-one", 'echo "$A"') + block("undo-two", 'echo "$B"')
    scene.runbook(steps, undo)
    execution = scene.run()
    assert execution.state == "rolled_back"
    back = list(execution.steps.filter(phase="rollback").values_list("key", flat=True))
    assert back == ["undo-two", "undo-one"]
    assert scene.output(execution, "undo-one") == "first\n"


def test_secrets_are_masked_and_never_stored(scene: Scene) -> None:
    scene.runbook(
        block("one", 'echo "token=$TOKEN"; COPY=$TOKEN'),
        extra="variables: {TOKEN: {secret: true}}\n",
    )
    execution = scene.run(variables={"TOKEN": "sup3r-s3cret"})
    assert scene.output(execution, "one") == "token=•••\n"
    assert "sup3r" not in str([execution.plan, execution.variables, execution.session])


def test_the_note_of_a_try_is_not_taken_for_a_lost_connection(scene: Scene) -> None:
    script = "test -e again || { touch again; exit 1; }; sleep 0.2"
    scene.environment.variables.create(name="HOME", value=str(scene.folder))
    scene.runbook(block("one", "cd; " + script, "retry=1 backoff=1m"))
    execution = scene.run()
    for table in (Execution.objects.filter(pk=execution.pk), execution.steps):
        table.update(due_at=execution.created_at)
    scene.advance(execution)
    assert scene.steps(execution)["one"].attempt_count == 2
    assert not execution.events.filter(kind__startswith="step.connection").exists()
