"""A log is a plain file, and one evaluation at a time writes to it."""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import types
from pathlib import Path

import pytest
from tests.evaluation.policies import ENV, Interrupted, is_solved_by_hash, nonsense, run

from verienv.core.lock import open_alone
from verienv.evaluation import evaluate

ROOT = Path(__file__).parents[2]


def program(text, log):
    """The command that runs ``text``, to which ``t`` is the module of policies and ``log`` the log."""
    head = "import os, sys, time; sys.path.insert(0, sys.argv[1]); from tests.evaluation import policies as t\n"
    return [sys.executable, "-c", head + "log = sys.argv[2]\n" + text, str(ROOT), str(log)]


def is_held(log):
    with pytest.raises(ValueError, match="is being written by another evaluation; let it end, or log elsewhere"):
        evaluate(nonsense, ENV, ["train"], episodes=2, log=log)
    return True


def while_written(log, look):
    """Call ``look`` while an evaluation writes to the log, which is not disturbed by it."""
    found = []

    def policy(dialogues):
        found.append(look())
        return is_solved_by_hash(dialogues)

    undisturbed = evaluate(is_solved_by_hash, ENV, ["train"], episodes=2)
    assert evaluate(policy, ENV, ["train"], episodes=2, log=log).to_json() == undisturbed.to_json()
    return all(found)


def test_an_evaluation_within_another_is_refused_its_log(tmp_path):
    assert while_written(tmp_path / "log", lambda: is_held(tmp_path / "log"))


def test_a_second_thread_is_refused(tmp_path):
    def from_a_thread():
        found = []
        thread = threading.Thread(target=lambda: found.append(is_held(tmp_path / "log")))
        thread.start()
        thread.join()
        return found == [True]

    assert while_written(tmp_path / "log", from_a_thread)


def test_the_log_is_not_given_free_by_others_that_read_it(tmp_path):
    def read_and_look():
        with (tmp_path / "log").open("rb") as file:
            file.read()
        return is_held(tmp_path / "log")

    assert while_written(tmp_path / "log", read_and_look)


def test_a_name_of_the_same_file_is_refused_too(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "log")
    assert while_written(tmp_path / "link", lambda: is_held(tmp_path / "log"))


def test_a_second_process_is_refused_in_one_line_until_the_first_is_killed(tmp_path):
    log = tmp_path / "log"
    text = "def slow(dialogues): print('asked', flush=True); time.sleep(60)\nt.run(slow, log)"
    with subprocess.Popen(program(text, log), stdout=subprocess.PIPE) as first:
        assert first.stdout.readline() == b"asked\n"
        held = log.read_bytes()
        assert is_held(log)
        assert log.read_bytes() == held
        first.send_signal(signal.SIGKILL)
    assert run(Interrupted(), log) == run(Interrupted())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_keeps_no_lock_of_a_parent_that_was_killed(tmp_path):
    log = tmp_path / "log"
    text = (
        "def forks(dialogues):\n"
        "    if not os.fork():\n"
        "        time.sleep(60)\n"
        "    os.kill(os.getpid(), 9)\n"
        "print(os.getpid(), flush=True)\n"
        "t.run(forks, log)\n"
    )
    with subprocess.Popen(program(text, log), stdout=subprocess.PIPE, start_new_session=True) as parent:
        try:
            parent.wait(60)
            assert run(Interrupted(), log) == run(Interrupted())  # while the child sleeps
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_does_not_write_to_the_log_of_its_parent(tmp_path):
    log = tmp_path / "log"
    text = (
        "forked = []\n"
        "def forks(dialogues):\n"
        "    if not forked:\n"
        "        forked.append(os.fork())\n"
        "        if forked[0]: os.waitpid(forked[0], 0)\n"
        "    return t.nonsense(dialogues)\n"
        "t.run(forks, log)\n"
    )
    done = subprocess.run(program(text, log), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "is written by the process that this one was forked from" in done.stderr.splitlines()[-1]
    assert run(nonsense, log) == run(nonsense)


def test_the_log_is_free_again_after_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(at=3), tmp_path / "log")
    (tmp_path / "notes").write_text("my notes\n")
    for _ in range(2):
        with pytest.raises(ValueError, match="is no evaluation's log"):
            run(Interrupted(), tmp_path / "notes")
    run(Interrupted(), tmp_path / "log")


def test_where_there_are_no_locks_the_log_is_written_with_a_warning(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    with pytest.warns(RuntimeWarning, match=r"log cannot be locked \(No locks available\): see to it that nobody else"):
        found = run(Interrupted(), tmp_path / "log")
    assert found == run(Interrupted())


def test_where_python_has_no_locks_the_log_is_written_with_a_warning(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.warns(RuntimeWarning, match="log cannot be locked"):
        open_alone(tmp_path / "log").close()


def test_on_windows_a_byte_behind_all_lines_is_locked(tmp_path, monkeypatch):
    taken = []

    def locking(descriptor, mode, length):
        if taken:
            raise PermissionError(errno.EACCES, "Permission denied")
        taken.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, length))

    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.setattr("verienv.core.lock.sys", types.SimpleNamespace(platform="win32"))
    with open_alone(tmp_path / "log") as file:
        with pytest.raises(ValueError, match="is being written by another evaluation"):
            open_alone(tmp_path / "log")
        file.write(b"first\n")
    assert (tmp_path / "log").read_bytes() == b"first\n"
    assert taken == [(2**31 - 2, 2, 1)]


def no_plain_file(kind, path):
    """Make something at ``path`` that is no plain file; return its name."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    else:
        path.symlink_to(kind)
    return path


@pytest.mark.skipif(os.name != "posix", reason="devices of POSIX")
@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "/dev/full", "/dev/zero", "/dev/null"])
def test_what_is_no_plain_file_is_refused_at_once(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="log is no plain file"):
        evaluate("expert", ENV, ["train"], episodes=2, log=no_plain_file(kind, Path("log")))


@pytest.mark.parametrize("is_there", [True, False])
def test_a_symbolic_link_is_followed(is_there, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "log")
    if is_there:
        (tmp_path / "log").touch()
    evaluate("expert", ENV, ["train"], episodes=2, log=tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert len((tmp_path / "log").read_text().splitlines()) == 3
