"""The card of a joint alignment: which spaces, in which frame, how well; ready for a model hub."""

from alignkit._version import __version__
from alignkit.joint._alignment import JointAlignment
from alignkit.storage._card import scores_text

_TEXT = """---
library_name: alignkit
tags: [embeddings, alignment, joint, "{method}"]
---

# {name}

Places {count} spaces in one joint frame of {dim} dimensions, by the method `{method}`:

{members}

## How well

{scores}

## How to use it

```python
import alignkit

joint = alignkit.load_joint("{name}")
mapped = joint.between("{first}", "{second}").apply(alignkit.open_embeddings("source.space"))
```

On the command line: `alignkit eval QUERIES GALLERY --alignment {name}` finds the two spaces by what the rows
say of themselves; `{name}::{first}:{second}` names them. `alignkit apply {name}::{first}:joint ROWS` writes
rows of the joint frame. Rows of any other space are refused. Written by alignkit {version}.
"""


def joint_card_of(joint: JointAlignment, name: str) -> str:
    """Return the card as Markdown with the front matter that model hubs read."""
    return _TEXT.format(
        method=joint.method,
        name=name,
        count=len(joint.members),
        dim=joint.maps[0].target_dim_,
        members="\n".join(f"- {member}" for member in joint.members),
        scores=scores_text(joint.info.get("report")),
        first=joint.members[0].label,
        second=joint.members[1].label,
        version=__version__,
    )
