"""CLAIM 2024 as a table: what is asked of an article on artificial intelligence in medical imaging.

Tejani AS, Klontzas ME, Gatti AA, et al. Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024
Update. Radiology: Artificial Intelligence 2024;6(4):e240300. 44 items. Numbers and sections as published, written
down from memory; the questions are in our own words. The published wording is what counts.
"""

from osler.lab.report.item import Checklist, Item

CLAIM = Checklist(
    key="claim",
    title="CLAIM 2024",
    citation=(
        "Tejani AS, Klontzas ME, Gatti AA, et al. Checklist for Artificial Intelligence in Medical Imaging "
        "(CLAIM): 2024 Update. Radiology: Artificial Intelligence 2024;6(4):e240300."
    ),
    note="Numbers follow the published list of 44 items; the questions are in our own words, so compare them with "
    "the published ones before you hand this in.",
    items=(
        Item("1", "Title", "Name it a study of AI, and the kind of AI.", ("paper.title",), ("model.technology",)),
        Item(
            "2",
            "Abstract",
            "Summarize design, methods, results, conclusions.",
            ("paper.abstract",),
            ("evaluation.performance",),
        ),
        Item(
            "3",
            "Introduction",
            "The background, and the intended use and role of the AI.",
            ("study.background", "use.role"),
            ("use.sees",),
        ),
        Item("4", "Introduction", "Aims, objectives and hypotheses.", ("study.objectives",)),
        Item("5", "Methods: study design", "Prospective or retrospective?", ("study.design",)),
        Item("6", "Methods: study design", "The goal of the study.", ("study.goal",)),
        Item("7", "Methods: data", "Where the data come from.", ("data.sources",), ("data.training",)),
        Item("8", "Methods: data", "Who was included and excluded.", ("data.eligibility",)),
        Item("9", "Methods: data", "How pictures were prepared.", ("data.preprocessing",)),
        Item("10", "Methods: data", "Which parts of the pictures were used.", ("data.subsets",)),
        Item("11", "Methods: data", "How identity was removed.", ("data.deidentification",)),
        Item("12", "Methods: data", "How missing data were handled.", ("data.missing",), ("data.care",)),
        Item("13", "Methods: data", "How pictures were acquired.", ("data.acquisition",), ("use.sees",)),
        Item(
            "14",
            "Methods: reference standard",
            "How the truth was found out.",
            ("reference.definition",),
            ("data.labels",),
        ),
        Item("15", "Methods: reference standard", "Why this reference standard.", ("reference.rationale",)),
        Item("16", "Methods: reference standard", "Who labelled, and how able.", ("reference.annotators",)),
        Item("17", "Methods: reference standard", "How the test set was labelled.", ("reference.test_set",)),
        Item(
            "18",
            "Methods: reference standard",
            "How far readers agreed with each other and themselves.",
            ("reference.variability",),
        ),
        Item("19", "Methods: data partitions", "How cases were dealt to the parts.", ("data.partition",)),
        Item(
            "20",
            "Methods: data partitions",
            "At which level the parts are disjoint: patient, study, hospital.",
            ("data.disjoint",),
            ("data.counts",),
        ),
        Item(
            "21",
            "Methods: testing data",
            "The intended sample size.",
            ("study.sample_size",),
            ("data.counts",),
        ),
        Item(
            "22",
            "Methods: model",
            "The model in detail: input, layers, output.",
            ("model.description", "model.output"),
        ),
        Item("23", "Methods: model", "Software, frameworks, packages.", ("model.software",)),
        Item("24", "Methods: model", "How the weights began.", ("model.initialization",)),
        Item(
            "25",
            "Methods: training",
            "How it was trained, so that another can do the same.",
            ("training.approach",),
            ("training.augmentation", "training.effort"),
        ),
        Item("26", "Methods: training", "How the final model was chosen.", ("training.selection",)),
        Item("27", "Methods: training", "How models were combined.", ("model.ensemble",)),
        Item("28", "Methods: evaluation", "Measures of performance.", ("metrics.measures",)),
        Item(
            "29",
            "Methods: evaluation",
            "Measures of uncertainty and significance.",
            ("metrics.intervals",),
        ),
        Item("30", "Methods: evaluation", "Robustness or sensitivity analysis.", ("evaluation.robustness",)),
        Item(
            "31",
            "Methods: evaluation",
            "How answers are explained or made interpretable.",
            ("analysis.explanation",),
        ),
        Item("32", "Methods: evaluation", "The test on internal data.", ("evaluation.internal",)),
        Item("33", "Methods: evaluation", "The test on external data.", ("evaluation.external",)),
        Item("34", "Methods: evaluation", "Registration as a clinical trial.", ("study.registration",)),
        Item(
            "35",
            "Results: data",
            "How many were included and excluded; a flow chart.",
            ("data.excluded", "data.counts"),
        ),
        Item(
            "36",
            "Results: data",
            "Who they were, in each part of the data.",
            ("data.demographics", "data.counts"),
            ("data.events",),
        ),
        Item(
            "37",
            "Results: performance",
            "The measures on all parts that were tested, with their uncertainty.",
            ("evaluation.performance",),
        ),
        Item(
            "38",
            "Results: performance",
            "Diagnostic performance and its precision.",
            ("evaluation.diagnostic",),
        ),
        Item(
            "39",
            "Results: performance",
            "An analysis of the wrong answers.",
            ("discussion.failures",),
            ("evaluation.failures",),
        ),
        Item("40", "Discussion", "Limitations.", ("discussion.limitations",), ("use.limits", "use.not_for")),
        Item("41", "Discussion", "What it means for practice.", ("discussion.implications",), ("use.sees",)),
        Item(
            "42",
            "Other information",
            "Where the protocol or more technical details are.",
            ("study.protocol",),
            ("model.specification",),
        ),
        Item(
            "43",
            "Other information",
            "Where software, model and data can be had.",
            ("availability.model", "availability.data", "availability.code"),
            ("model.licence", "model.code"),
        ),
        Item("44", "Other information", "Funding, and the role of those who paid.", ("study.funding",)),
    ),
)
