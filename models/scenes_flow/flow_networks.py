"""The networks of the flow model of scenes, untrained: Stable Diffusion 3's classes without T5.

The autoencoder, the captions' grammar and the tokenizer are those of models/scenes.
"""

import pathlib
import sys

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTextModelWithProjection

SCENES = pathlib.Path(__file__).parent.parent / "scenes"
sys.path.insert(0, str(SCENES))

import networks  # noqa: E402  (models/scenes/networks.py)

WIDTHS = (128, 32)  # of the two text encoders
T5_TOKENS = 256  # StableDiffusion3Pipeline appends as many zero rows where T5 is absent
WITHOUT_T5 = {"text_encoder_3": None, "tokenizer_3": None}  # its from_pretrained wants to be told


def transformer() -> SD3Transformer2DModel:
    """Sees the 16x16 latent as 8x8 patches. With SD3.5's norms of queries and keys, which allow a higher rate."""
    return SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=6,
        attention_head_dim=32,
        num_attention_heads=4,
        caption_projection_dim=128,
        joint_attention_dim=sum(WIDTHS),
        pooled_projection_dim=sum(WIDTHS),
        pos_embed_max_size=8,
        qk_norm="rms_norm",
    )


def scheduler() -> FlowMatchEulerDiscreteScheduler:
    """Without a shift: it is meant for latents that hold more numbers than 16x16x4."""
    return FlowMatchEulerDiscreteScheduler(shift=1.0)


class OneRowForAll:
    """Joint attention of picture and text in which the text's last row counts `rows` times.

    The zero rows that stand for T5 carry no positions, so they are equal after every layer. Attending to n equal rows is
    attending to one of them with log(n) added to its score.
    """

    def __init__(self, rows: int):
        self.rows = rows

    def __call__(self, attn, hidden_states, encoder_hidden_states, attention_mask=None):
        x, c = hidden_states, encoder_hidden_states

        def heads(y):
            return y.unflatten(-1, (attn.heads, -1)).transpose(1, 2)  # [N, H, T, C / H]

        q = torch.cat([attn.norm_q(heads(attn.to_q(x))), attn.norm_added_q(heads(attn.add_q_proj(c)))], 2)
        k = torch.cat([attn.norm_k(heads(attn.to_k(x))), attn.norm_added_k(heads(attn.add_k_proj(c)))], 2)
        v = torch.cat([heads(attn.to_v(x)), heads(attn.add_v_proj(c))], 2)
        bias = F.pad(torch.full((1,), self.rows, dtype=q.dtype).log(), (q.shape[2] - 1, 0))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.expand(q.shape[2], -1)).transpose(1, 2).flatten(2)
        of_x, of_c = y.split([x.shape[1], c.shape[1]], dim=1)
        return attn.to_out[0](of_x), of_c if attn.context_pre_only else attn.to_add_out(of_c)


class TextToVelocity(nn.Module):
    """Both text encoders and the transformer, trained as one."""

    def __init__(self):
        super().__init__()
        # The tokens are the states before the last layer, which the pooled text alone goes through.
        first, second = WIDTHS
        self.text = networks.text_encoder(CLIPTextModelWithProjection, first, layers=3)
        self.text_2 = networks.text_encoder(CLIPTextModelWithProjection, second)
        self.transformer = transformer()
        self.transformer.set_attn_processor(OneRowForAll(T5_TOKENS))

    def forward(self, x: torch.Tensor, sigma: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        texts = [encoder(ids, output_hidden_states=True) for encoder in (self.text, self.text_2)]
        tokens = torch.cat([text.hidden_states[-2] for text in texts], dim=-1)  # [N, 24, 160]
        pooled = torch.cat([text.text_embeds for text in texts], dim=-1)  # [N, 160]
        tokens = F.pad(tokens, (0, 0, 0, 1))  # one zero row for all of T5's
        return self.transformer(x, tokens, pooled, 1000 * sigma).sample
