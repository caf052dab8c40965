"""The scenarios of `@modelcontextprotocol/conformance`, by revision: those that have to pass, and why not the others.

Most of the others call tools, prompts and resources that only a server made for the suite has.
"""

from __future__ import annotations

_SAMPLES = {
    "tools-call-simple-text": "the tool test_simple_text",
    "tools-call-image": "the tool test_image_content",
    "tools-call-audio": "the tool test_audio_content",
    "tools-call-embedded-resource": "the tool test_embedded_resource",
    "tools-call-mixed-content": "the tool test_multiple_content_types",
    "tools-call-with-progress": "the tool test_tool_with_progress",
    "json-schema-2020-12": "the tool json_schema_2020_12_tool",
    "resources-read-text": "the resource test://static-text",
    "resources-read-binary": "the resource test://static-binary",
    "resources-templates-read": "the resource template test://template/{id}/data",
    "prompts-get-simple": "the prompt test_simple_prompt",
    "prompts-get-with-args": "the prompt test_prompt_with_arguments",
    "prompts-get-embedded-resource": "the prompt test_prompt_with_embedded_resource",
    "prompts-get-with-image": "the prompt test_prompt_with_image",
}
_INPUT = {
    f"input-required-result-{name}": f"the {kind} that asks its client for more: test_input_required_result_*"
    for name, kind in {
        "basic-elicitation": "tool",
        "basic-sampling": "tool",
        "basic-list-roots": "tool",
        "request-state": "tool",
        "multiple-input-requests": "tool",
        "multi-round": "tool",
        "missing-input-response": "tool",
        "non-tool-request": "prompt",
        "result-type": "tool",
        "tampered-state": "tool",
        "capability-check": "tool",
        "validate-input": "tool",
    }.items()
}
_TASKS = {
    f"tasks-{name}": "the extension for tasks, which is not offered: long work is a job" for name in (
        "lifecycle", "capability-negotiation", "wire-fields", "request-state-removal", "mrtr-input", "request-headers",
        "dispatch-and-envelope", "status-notifications", "required-task-error", "mrtr-composition",
    )
}  # fmt: skip

PASS = {
    "2025-11-25": [
        "server-initialize", "logging-set-level", "ping", "completion-complete", "tools-list", "tools-call-error",
        "server-sse-multiple-streams", "resources-list", "prompts-list", "dns-rebinding-protection",
        "server-session-lifecycle",
    ],
    "2026-07-28": [
        "server-stateless", "completion-complete", "tools-list", "tools-call-error", "server-sse-multiple-streams",
        "resources-list", "sep-2164-resource-not-found", "prompts-list", "dns-rebinding-protection", "caching",
        "input-required-result-unsupported-methods", "input-required-result-ignore-extra-params",
        "http-header-validation",
    ],
}  # fmt: skip

# Each needs what is named.
LEFT_OUT = {
    "2025-11-25": {
        **_SAMPLES,
        "tools-call-with-logging": "the tool test_tool_with_logging",
        "tools-call-sampling": "the tool test_sampling",
        "tools-call-elicitation": "the tool test_elicitation",
        "elicitation-sep1034-defaults": "the tool test_elicitation_sep1034_defaults",
        "elicitation-sep1330-enums": "the tool test_elicitation_sep1330_enums",
        "resources-subscribe": "the resource test://watched-resource",
        "resources-unsubscribe": "the resource test://watched-resource",
        "server-sse-polling": "the tool test_reconnection",
    },
    "2026-07-28": {
        **_SAMPLES,
        **_INPUT,
        **_TASKS,
        "http-custom-header-server-validation": "a tool that takes arguments from headers (x-mcp-header)",
    },
}

# Single checks of scenarios that pass otherwise, and what they need.
CHECKS_LEFT_OUT = {
    "sep-2575-server-rejects-undeclared-capability": "the tool test_missing_capability",
    "sep-2575-missing-capability-http-400": "the tool test_missing_capability",
    "sep-2575-server-sends-tools-list-changed-on-subscription": "the tool test_trigger_tool_change",
    "sep-2575-server-sends-prompts-list-changed-on-subscription": "the tool test_trigger_prompt_change",
}
