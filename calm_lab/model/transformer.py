"""The token-level Transformer on the same backbone: the baseline that CALM is measured against (paper sec. 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from calm_lab.model.backbone import Backbone, KVCache
from calm_lab.model.config import TransformerConfig
from calm_lab.model.vocabulary import token_cross_entropy

if TYPE_CHECKING:
    from calm_lab.text.tokenizer import Tokenizer


class TokenTransformer(nn.Module):
    """Next-token prediction with a softmax, one token a step.

    Attributes:
        config: its sizes.
        tokenizer: the tokenizer whose ids it reads, where one is known.
        name: what it was loaded as.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        width = config.backbone.hidden_size
        self.embed = nn.Embedding(config.vocab_size, width)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.backbone = Backbone(config.backbone)
        if not config.tied:
            self.output = nn.Linear(width, config.vocab_size, bias=False)
            nn.init.normal_(self.output.weight, std=0.02)
        self.tokenizer: Tokenizer | None = None
        self.name = ""

    @property
    def output_weight(self) -> Tensor:
        """The output matrix, shape (V, d)."""
        return self.embed.weight if self.config.tied else self.output.weight

    def trainable(self) -> dict[str, nn.Parameter]:
        """All parameters, by name."""
        return dict(self.named_parameters())

    def hidden_states(self, ids: Tensor, cache: KVCache | None = None) -> Tensor:
        """Token ids (B, T) -> hidden states (B, T, d); position i predicts token i + 1."""
        return self.backbone(self.embed(ids), cache)

    def logits(self, ids: Tensor, cache: KVCache | None = None) -> Tensor:
        """Token ids (B, T) -> next-token logits (B, T, V)."""
        return F.linear(self.hidden_states(ids, cache), self.output_weight)

    def loss(self, ids: Tensor) -> Tensor:
        """Mean cross-entropy in nats over the next tokens of ids (B, T), padding left out; scalar."""
        return self.next_token_loss(ids, (ids[:, 1:] != self.config.pad_id).flatten().nonzero()[:, 0])

    def next_token_loss(self, ids: Tensor, index: Tensor | None = None) -> Tensor:
        """Mean cross-entropy in nats over chosen next tokens of ids (B, T); scalar.

        Args:
            ids: token ids, shape (B, T).
            index: positions among the B (T - 1) that predict a token, shape (R,); None for all of them.
        """
        hidden, targets = self.hidden_states(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()
        if index is not None:
            hidden, targets = hidden[index], targets[index]
        return token_cross_entropy(hidden, self.output_weight, targets)
