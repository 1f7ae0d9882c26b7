"""What an evaluation says, in sentences for people who are about to risk money on it."""

from typing import Final

from plan2.intelligence.training.bootstrap import Interval
from plan2.intelligence.training.evaluate import Evaluation, Flag, Verdict

DSR_MIN: Final = 0.95
PBO_MAX: Final = 0.20
SPA_MAX: Final = 0.05

FLAGS: Final = {
    Flag.LEAK_SUSPECT: "better than markets allow; look for a leak before believing it.",
    Flag.PLANTED_EDGE: "the simulated market has a planted edge, which explains these figures; on "
    "real data they would stop promotion.",
    Flag.UNCALIBRATED: "the probabilities are off by more than chance explains.",
}


def first_words(evaluation: Evaluation) -> str:
    """The verdict, why, and what it would have paid."""
    verdict = _VERDICTS[evaluation.verdict]
    return f"{verdict} {required_in_words(evaluation)} {_paid(evaluation)}"


def flags_in_words(evaluation: Evaluation) -> list[str]:
    """A sentence for each flag."""
    return [f"Flag {flag}: {FLAGS[flag]}" for flag in evaluation.flags]


def required_in_words(evaluation: Evaluation) -> str:
    """How much evidence the observed accuracy would need, and how much there is."""
    needed = evaluation.n_required
    if needed is None:
        return "The forecasts were right no more often than a coin."
    return (
        f"To show an accuracy of {evaluation.accuracy.value:.1%} takes about {needed:.0f} "
        f"independent events; there are {evaluation.n_eff:.0f}."
    )


def evidence_of(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Name and meaning of every figure that corrects for luck; missing ones say why."""
    return [
        *_planted(evaluation),
        ("Trials on this question", _or(evaluation.trials, "{:d}", "not recorded")),
        (
            "Deflated Sharpe ratio",
            _or(evaluation.dsr, f"{{:.3f}} (at least {DSR_MIN:g} is wanted)", _FEW),
        ),
        (
            "Probability of overfitting",
            _or(evaluation.pbo, f"{{:.1%}} (at most {PBO_MAX:.0%} is wanted)", _FEW_TRIALS),
        ),
        (
            "Superior to every simple rule",
            _or(evaluation.spa_p, f"p = {{:.3f}} (below {SPA_MAX:g} is wanted)", _FEW),
        ),
        (
            "Sealed block, log-loss skill",
            _or(evaluation.sealed_log_loss_skill, "{:+.2%}", "not opened"),
        ),
        ("Sealed block, against the champion", _against(evaluation.skill_vs_champion)),
    ]


_FEW: Final = "unknown: too few days or no trades"
_FEW_TRIALS: Final = "unknown: too few days or fewer than two trials"
_VERDICTS: Final = {
    Verdict.SKILL: "The models forecast better than a constant, and by more than chance explains.",
    Verdict.NO_SKILL: "The models do not forecast: a constant does better, beyond chance.",
    Verdict.INSUFFICIENT: "There is not enough evidence to say that the models forecast anything.",
}


def _paid(evaluation: Evaluation) -> str:
    trades = evaluation.trades
    if trades.trades == 0:
        return "No forecast was worth its cost, so nothing would have been traded."
    gained = "gained" if trades.net_r_total > 0.0 else "lost"
    return (
        f"Trading where it was worth the cost would have {gained} {abs(trades.net_r_total):.1f} R "
        f"in {trades.trades} trades, after all costs."
    )


def _planted(evaluation: Evaluation) -> list[tuple[str, str]]:
    accuracy, lead = evaluation.planted_accuracy, evaluation.lead_on_planted
    if accuracy is None or lead is None:
        return []
    words = f"right in {accuracy:.1%}; the forecasts {lead.value:+.1%} ({lead.low:+.1%} … "
    return [("Whoever knows what is planted", f"{words}{lead.high:+.1%})")]


def _against(skill: Interval | None) -> str:
    if skill is None:
        return "unknown: no champion, or fewer than 100 events that neither was trained on"
    return f"{skill.value:+.2%} ({skill.low:+.2%} … {skill.high:+.2%})"


def _or(value: float | None, pattern: str, otherwise: str) -> str:
    return otherwise if value is None else pattern.format(value)
