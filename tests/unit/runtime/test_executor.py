"""The host against small runtimes, written in wasm's text form: what works, and each way to fail by its name."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import wasmtime

from orchestrator.errors import (
    GenesisError,
    HostFunctionError,
    RuntimeApiError,
    RuntimeBlobError,
    RuntimeCallError,
    RuntimePanicError,
)
from orchestrator.runtime import blob, compiled, genesis_builder, hashing
from orchestrator.runtime.executor import Executor
from orchestrator.runtime.storage import Storage
from orchestrator.scale import text, vector
from orchestrator.spec.runtime import ModelRuntime

BUILDER = hashing.blake2_64(b"GenesisBuilder") + (1).to_bytes(4, "little")

COMMON = """
  (import "env" "memory" (memory 1))
  (global (export "__heap_base") i32 (i32.const 4096))
  (func (export "echo") (param i32 i32) (result i64)
    (i64.or (i64.extend_i32_u (local.get 0)) (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32))))
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COALMINE_CACHE", str(tmp_path))


def runtime(body="", imports="", *, apis=b""):
    """A runtime with these functions besides `echo`, which gives back what it is given."""
    wasm = bytes(wasmtime.wat2wasm(f"(module {imports} {COMMON} {body})"))
    model = blob.model_blob(ModelRuntime(spec_name="tiny", spec_version=7))
    sections = dict(blob._custom_sections(model))
    wasm += blob._section("runtime_version", sections["runtime_version"])
    return wasm + blob._section("runtime_apis", sections["runtime_apis"] + apis)


def span(at, length):
    return at | length << 32


def test_a_call_gives_back_what_the_entry_point_returns():
    answer = Executor(runtime()).call("echo", b"\x01\x02\x03", Storage())
    assert answer.output == b"\x01\x02\x03"
    assert answer.log == ()


def test_memory_grows_for_what_the_first_pages_cannot_hold():
    large = bytes(range(256)) * 64 * 1024
    assert Executor(runtime()).call("echo", large, Storage()).output == large


def test_storage_is_read_and_written_and_outlives_the_call():
    imports = """
      (import "env" "ext_storage_get_version_1" (func $get (param i64) (result i64)))
      (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
    """
    body = f"""
      (data (i32.const 0) "keyvalue")
      (func (export "swap") (param i32 i32) (result i64)
        (call $set (i64.const {span(3, 2)}) (i64.const {span(3, 5)}))
        (call $get (i64.const {span(0, 3)})))
    """
    storage = Storage({b"key": b"there"})
    answer = Executor(runtime(body, imports)).call("swap", b"", storage)
    assert answer.output == b"\x01" + vector(b"there")
    assert storage.top == {b"key": b"there", b"va": b"value"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("blake2_128", "cf4ab791c62b8d2b2109c90275287816"),
        ("blake2_256", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
        ("keccak_256", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        ("sha2_256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("twox_64", "990977adf52cbc44"),
        ("twox_128", "990977adf52cbc440889329981caa9be"),
    ],
)
def test_hashes_are_those_of_their_published_vectors(name, expected):
    imports = f'(import "env" "ext_hashing_{name}_version_1" (func $hash (param i64) (result i32)))'
    body = f"""
      (data (i32.const 0) "abc")
      (func (export "hash") (param i32 i32) (result i64)
        (i64.or (i64.extend_i32_u (call $hash (i64.const {span(0, 3)}))) (i64.const {span(0, len(expected) // 2)})))
    """
    assert Executor(runtime(body, imports)).call("hash", b"", Storage()).output.hex() == expected


LOG = '(import "env" "ext_logging_log_version_1" (func $log (param i32 i64 i64)))'


def test_the_runtimes_own_lines_come_with_the_answer():
    body = f"""
      (data (i32.const 0) "targetmessage")
      (func (export "talk") (param i32 i32) (result i64)
        (call $log (i32.const 1) (i64.const {span(0, 6)}) (i64.const {span(6, 7)})) (i64.const 0))
    """
    assert Executor(runtime(body, LOG)).call("talk", b"", Storage()).log == ("WARN target: message",)


def test_a_panic_is_told_in_the_runtimes_words_with_its_log():
    message = "panicked at src/lib.rs:1:2:\\nno such thing"
    body = f"""
      (data (i32.const 0) "runtime{message}")
      (func (export "fail") (param i32 i32) (result i64)
        (call $log (i32.const 0) (i64.const {span(0, 7)}) (i64.const {span(7, len(message) - 1)})) unreachable)
    """
    with pytest.raises(RuntimePanicError, match=r"^fail: panicked at src/lib.rs:1:2: no such thing$") as caught:
        Executor(runtime(body, LOG)).call("fail", b"", Storage())
    assert caught.value.log[0].startswith("ERROR runtime: panicked at")


def test_a_panic_through_the_panic_handler_is_one_too():
    imports = '(import "env" "ext_panic_handler_abort_on_panic_version_1" (func $abort (param i64)))'
    body = f"""
      (data (i32.const 0) "enough")
      (func (export "fail") (param i32 i32) (result i64) (call $abort (i64.const {span(0, 6)})) unreachable)
    """
    with pytest.raises(RuntimePanicError, match="enough"):
        Executor(runtime(body, imports)).call("fail", b"", Storage())


def test_an_unknown_host_function_may_be_imported_and_is_named_when_it_is_called():
    imports = '(import "env" "ext_future_dream_version_1" (func $dream (param i64) (result i32)))'
    body = """
      (func (export "fail") (param i32 i32) (result i64) (i64.extend_i32_u (call $dream (i64.const 0))))
    """
    executor = Executor(runtime(body, imports))
    assert executor.call("echo", b"x", Storage()).output == b"x"
    with pytest.raises(HostFunctionError, match="ext_future_dream_version_1"):
        executor.call("fail", b"", Storage())


def test_a_missing_entry_point_is_named():
    with pytest.raises(RuntimeApiError, match="the runtime tiny 7 has no Core_dance"):
        Executor(runtime()).call("Core_dance", b"", Storage())


@pytest.mark.parametrize(
    "body",
    [
        "(func (export {e}) (param i32 i32) (result i64) unreachable)",
        "(func (export {e}) (param i32 i32) (result i64) (i64.const -1))",
        "(func $f (export {e}) (param i32 i32) (result i64) (call $f (i32.const 0) (i32.const 0)))",
        "(func (export {e}))",
    ],
    ids=["trap", "result outside of memory", "endless recursion", "another signature"],
)
def test_whatever_else_a_runtime_does_wrong_has_a_name(body):
    with pytest.raises(RuntimeCallError):
        Executor(runtime(body.format(e='"fail"'))).call("fail", b"", Storage())


def test_a_transaction_that_was_never_begun_cannot_be_ended():
    imports = '(import "env" "ext_storage_commit_transaction_version_1" (func $commit))'
    body = '(func (export "fail") (param i32 i32) (result i64) (call $commit) (i64.const 0))'
    with pytest.raises(RuntimeCallError):
        Executor(runtime(body, imports)).call("fail", b"", Storage())


def test_what_is_no_runtime_is_refused_before_anything_runs():
    whole = runtime()
    for code in (b"", b"\0asm\x01\0\0\0", whole[:40], blob.model_blob(ModelRuntime(spec_name="m", spec_version=1))):
        with pytest.raises(RuntimeBlobError):
            Executor(code)
    broken = bytearray(whole)
    broken[8:12] = b"\x01\x02\xff\xff"
    with pytest.raises(RuntimeBlobError):
        Executor(bytes(broken))


def test_a_module_is_compiled_once_and_a_damaged_file_of_the_cache_does_no_harm(tmp_path, monkeypatch):
    code = runtime()
    Executor(code)
    (file,) = (tmp_path / "runtimes").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(wasmtime, "Module", _NoCompiler)
        assert Executor(code).call("echo", b"x", Storage()).output == b"x"
    whole = file.read_bytes()
    for damaged in (b"", whole[:100], whole[:-1] + bytes([whole[-1] ^ 1])):
        file.write_bytes(damaged)
        assert Executor(code).call("echo", b"x", Storage()).output == b"x"
        assert file.read_bytes() == whole
    assert [each.name for each in (tmp_path / "runtimes").iterdir()] == [file.name]


def test_without_a_place_for_the_cache_it_is_compiled_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COALMINE_CACHE", str(tmp_path / "file" / "below"))
    assert Executor(runtime()).call("echo", b"x", Storage()).output == b"x"


class _NoCompiler:
    deserialize = wasmtime.Module.deserialize

    def __init__(self, *_):
        raise AssertionError("compiled a second time")


def test_the_cache_keeps_what_was_used_last(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "_KEPT", 2)
    bodies = [f"(global i32 (i32.const {number}))" for number in range(4)]
    for body in bodies:
        Executor(runtime(body))
    assert len(list((tmp_path / "runtimes").iterdir())) == 2


def test_nothing_of_a_call_is_kept_when_it_is_over():
    executor = Executor(runtime(imports='(import "env" "ext_allocator_free_version_1" (func (param i32)))'))
    storage = Storage()
    executor.call("echo", b"x", storage)
    gone = weakref.ref(storage)
    del storage
    gc.collect()
    assert gone() is None


def test_two_threads_may_call_and_each_gets_its_own_failure():
    imports = "".join(f'(import "env" "ext_{name}" (func ${name} (param i64) (result i32)))' for name in "ab")
    body = "".join(
        f'(func (export "{n}") (param i32 i32) (result i64) (i64.extend_i32_u (call ${n} (i64.const 0))))' for n in "ab"
    )
    executor = Executor(runtime(body, imports))

    def failure(name):
        with pytest.raises(HostFunctionError) as caught:
            executor.call(name, b"", Storage())
        return str(caught.value)

    with ThreadPoolExecutor(4) as pool:
        names = ["a", "b"] * 50
        assert all(f"ext_{name}," in said for name, said in zip(names, pool.map(failure, names), strict=True))


# GenesisBuilder


def builder(answer, *, apis=BUILDER, function="build_state"):
    escaped = "".join(f"\\{byte:02x}" for byte in answer)
    body = f"""
      (data (i32.const 512) "{escaped}")
      (data (i32.const 64) "\\01\\08{{}}")
      (func (export "GenesisBuilder_get_preset") (param i32 i32) (result i64) (i64.const {span(64, 4)}))
      (func (export "GenesisBuilder_{function}") (param i32 i32) (result i64) (i64.const {span(512, len(answer))}))
    """
    return runtime(body, apis=apis)


def test_genesis_is_what_the_runtime_wrote_and_its_code():
    code = builder(b"\0")
    assert genesis_builder.build_state(Executor(code), code, {}).top == {b":code": code}


def test_a_refused_genesis_tells_the_reason():
    code = builder(b"\1" + text("missing field `marker`"))
    with pytest.raises(GenesisError, match="tiny 7 refuses its genesis: missing field `marker`"):
        genesis_builder.build_state(Executor(code), code, {})


def test_a_runtime_without_a_genesis_builder_is_told_apart():
    code = builder(b"\0", apis=b"")
    with pytest.raises(RuntimeApiError, match="has no GenesisBuilder") as caught:
        genesis_builder.build_state(Executor(code), code, {})
    assert "specFile" in caught.value.hint


def test_preset_names_are_read():
    code = builder(b"\x08" + text("development") + text("local_testnet"), function="preset_names")
    assert genesis_builder.preset_names(Executor(code)) == ("development", "local_testnet")


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        # RFC 7396, appendix A, but for those whose target or patch is no object of ours.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_patches_merge_as_the_rfc_says(target, patch, expected):
    assert genesis_builder.merged(target, patch) == expected


def test_a_configuration_over_the_default_keeps_its_nulls():
    default = {"sudo": {"key": None}, "staking": {"at": 3, "mode": "Passive"}}
    config = {"staking": {"at": None}, "new": {"inner": None}}
    assert genesis_builder.completed(default, config) == {
        "sudo": {"key": None}, "staking": {"at": None, "mode": "Passive"}, "new": {"inner": None},
    }  # fmt: skip
