"""The gRPC side of the double: the program runs by its language server, and what happens goes to the event stream."""

# ruff: noqa: ARG002  The methods are those of the services.

import json
from concurrent import futures

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    events_pb2,
    events_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Takes what the program registers."""

    def __init__(self, stack):
        self.stack, self.resources = stack, []

    def SupportsFeature(self, request, context):  # noqa: N802
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in {"secrets", "resourceReferences"})

    def RegisterResource(self, request, context):  # noqa: N802
        urn = f"urn:pulumi:{self.stack}::coalmine::{request.type}::{request.name}"
        inputs = json_format.MessageToDict(request.object)
        entry = {
            "urn": urn,
            "type": request.type,
            "inputs": inputs,
            "dependencies": list(request.dependencies),
            "provider": request.provider,
            "version": request.version,
        }
        self.resources.append(entry)
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(request.object)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=outputs)

    def RegisterResourceOutputs(self, request, context):  # noqa: N802
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request, context):  # noqa: N802
        return empty_pb2.Empty()


class Engine(engine_pb2_grpc.EngineServicer):
    root = ""

    def Log(self, request, context):  # noqa: N802
        return empty_pb2.Empty()

    def GetRootResource(self, request, context):  # noqa: N802
        return engine_pb2.GetRootResourceResponse(urn=Engine.root)

    def SetRootResource(self, request, context):  # noqa: N802
        Engine.root = request.urn
        return engine_pb2.SetRootResourceResponse()


def declared(client, stack, config, *, preview):
    """Runs the program by its language server; the resources that it registers, dependencies first."""
    server = grpc.server(futures.ThreadPoolExecutor(16))
    monitor = Monitor(stack)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(Engine(), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    with grpc.insecure_channel(client) as channel:
        request = language_pb2.RunRequest(
            project="coalmine",
            stack=stack,
            args=[address],
            config=config,
            dryRun=preview,
            parallel=8,
            monitor_address=address,
        )
        answer = language_pb2_grpc.LanguageRuntimeStub(channel).Run(request)
    server.stop(0)
    if answer.error:
        return None, answer.error
    return [r for r in monitor.resources if r["type"] != "pulumi:pulumi:Stack"], ""


def events(target, planned, error):
    def stream():
        sequence = 0
        if error:
            diagnostic = {"message": error, "color": "never", "severity": "error"}
            yield events_pb2.EventRequest(
                event=json.dumps({"sequence": 0, "timestamp": 0, "diagnosticEvent": diagnostic})
            )
        for op, resource, paths in planned:
            detailed = {path: {"diffKind": "update", "inputDiff": True} for path in paths}
            metadata = {"op": op, "urn": resource["urn"], "type": resource["type"], "detailedDiff": detailed}
            for step in ({**metadata, "op": "refresh", "detailedDiff": {}}, metadata):
                sequence += 1
                pre = {"metadata": step, "planning": False}
                yield events_pb2.EventRequest(
                    event=json.dumps({"sequence": sequence, "timestamp": 0, "resourcePreEvent": pre})
                )
        summary = {"maybeCorrupt": False, "durationSeconds": 0, "resourceChanges": {}, "PolicyPacks": {}}
        yield events_pb2.EventRequest(
            event=json.dumps({"sequence": sequence + 1, "timestamp": 0, "summaryEvent": summary})
        )

    with grpc.insecure_channel(target.removeprefix("tcp://")) as channel:
        events_pb2_grpc.EventsStub(channel).StreamEvents(stream())
