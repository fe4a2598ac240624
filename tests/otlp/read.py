"""Reads requests to an OpenTelemetry collector with OpenTelemetry's own messages.

Reads a JSON list of bodies (base64) from standard input. Writes a JSON object: `spans`, and `problems` with what a collector would
refuse or lose.
"""

import base64
import json
import sys

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


def value(any_value):
    """A plain value of an attribute."""
    kind = any_value.WhichOneof("value")
    return getattr(any_value, kind) if kind in ("string_value", "int_value", "bool_value", "double_value") else None


def attributes(pairs, problems):
    found = {}
    for pair in pairs:
        if not pair.key or pair.key in found or value(pair.value) is None:
            problems.append(f"attribute {pair.key!r} is empty, a list, or there twice")
        found[pair.key] = value(pair.value)
    return found


def unknown(message):
    """Number of fields that the published messages do not have."""
    count = len(UnknownFieldSet(message))
    for field, inner in message.ListFields():
        if field.message_type:
            inner = inner if field.is_repeated else [inner]
            count += sum(unknown(one) for one in inner)
    return count


def read_span(span, resource, scope, problems):
    if len(span.trace_id) != 16 or not any(span.trace_id) or len(span.span_id) != 8 or not any(span.span_id):
        problems.append(f"span {span.name}: its ids are not valid")
    if span.parent_span_id and len(span.parent_span_id) != 8:
        problems.append(f"span {span.name}: the id of its parent is not valid")
    if not span.name or not 0 < span.start_time_unix_nano <= span.end_time_unix_nano:
        problems.append(f"span {span.name}: its name or its times are not valid")
    return {
        "trace": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        "status": Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_").lower(),
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "attributes": attributes(span.attributes, problems),
        "resource": resource,
        "scope": scope,
    }


def read(body, spans, problems):
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        problems.append(f"is no request: {error}")
        return
    if unknown(request):
        problems.append("has unknown fields")
    for of_resource in request.resource_spans:
        resource = attributes(of_resource.resource.attributes, problems)
        if not resource.get("service.name"):
            problems.append("the resource has no service.name")
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                spans.append(read_span(span, resource, of_scope.scope.name, problems))


def main():
    spans, problems = [], []
    for body in json.load(sys.stdin):
        read(base64.b64decode(body), spans, problems)
    if len({span["id"] for span in spans}) != len(spans):
        problems.append("two spans have one id")
    json.dump({"spans": spans, "problems": problems}, sys.stdout)


main()
