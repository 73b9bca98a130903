"""Stand-in for a client of ``openai``: chat completions from any model, over JSON."""

import json
from types import SimpleNamespace
from typing import Any


class OpenAI:
    def __init__(self, model: Any) -> None:
        self._model = model
        self.chat = SimpleNamespace(completions=self)

    def create(self, *, model: str, messages: list[dict[str, Any]], **_: Any) -> Any:
        reply = self._model(json.loads(json.dumps(messages)))
        return SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(role="assistant", content=reply))])
