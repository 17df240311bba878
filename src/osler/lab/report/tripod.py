"""TRIPOD+AI as a table: what is asked of an article on a prediction model.

Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for reporting clinical prediction
models that use regression or machine learning methods. BMJ 2024;385:e078378. 27 items with 52 parts. Numbers and
sections as published, written down from memory; the questions are in our own words. The published wording is what
counts.
"""

from osler.lab.report.item import Checklist, Item

TRIPOD_AI = Checklist(
    key="tripod_ai",
    title="TRIPOD+AI",
    citation=(
        "Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for reporting clinical "
        "prediction models that use regression or machine learning methods. BMJ 2024;385:e078378."
    ),
    note="Numbers follow the published list of 27 items in 52 parts; the questions are in our own words, so "
    "compare them with the published ones before you hand this in. A report of making and testing a model answers "
    "all of them.",
    items=(
        Item(
            "1",
            "Title",
            "Name making or testing of a prediction model, the people, the outcome.",
            ("paper.title",),
            ("model.technology",),
        ),
        Item(
            "2",
            "Abstract",
            "A summary after TRIPOD+AI for abstracts.",
            ("paper.abstract",),
            ("evaluation.performance",),
        ),
        Item(
            "3a",
            "Introduction: background",
            "The healthcare context and why a model; existing models.",
            ("study.background",),
        ),
        Item(
            "3b",
            "Introduction: background",
            "For whom it is meant, its purpose in the care, its users.",
            ("use.role", "use.users"),
            ("use.sees", "use.not_for"),
        ),
        Item(
            "3c",
            "Introduction: background",
            "Known inequalities between groups of people.",
            ("study.inequalities",),
        ),
        Item(
            "4",
            "Introduction: objectives",
            "The objectives: making, testing, or both.",
            ("study.objectives",),
            ("study.goal",),
        ),
        Item(
            "5a",
            "Methods: data",
            "Sources of the data for making and for testing, why these, how representative.",
            ("data.sources", "data.representative"),
            ("data.training", "evaluation.internal", "evaluation.external"),
        ),
        Item("5b", "Methods: data", "Dates of the data.", ("data.dates",)),
        Item("6a", "Methods: participants", "Setting, number and place of the centres.", ("data.centres",)),
        Item("6b", "Methods: participants", "Who was eligible.", ("data.eligibility",)),
        Item("6c", "Methods: participants", "Treatments, and how they were handled.", ("data.treatments",)),
        Item(
            "7",
            "Methods: data preparation",
            "Preparation and checks of quality, alike for all groups?",
            ("data.preprocessing", "data.care"),
        ),
        Item(
            "8a",
            "Methods: outcome",
            "The outcome, its time, how it was found out, alike for all groups?",
            ("reference.definition",),
            ("data.labels",),
        ),
        Item(
            "8b",
            "Methods: outcome",
            "Where a person judged the outcome: who, with what training.",
            ("reference.annotators",),
        ),
        Item("8c", "Methods: outcome", "What those who judged it did not know.", ("reference.blinding",)),
        Item("9a", "Methods: predictors", "Which predictors, and how they were chosen.", ("data.predictors",)),
        Item(
            "9b",
            "Methods: predictors",
            "Each predictor, how and when measured.",
            ("data.predictors", "data.acquisition"),
        ),
        Item(
            "9c",
            "Methods: predictors",
            "Where a person judged a predictor: who, with what training.",
            ("data.predictors.judged",),
        ),
        Item(
            "10", "Methods: sample size", "How the size was arrived at.", ("study.sample_size",), ("data.counts",)
        ),
        Item("11", "Methods: missing data", "How missing data were handled.", ("data.missing",), ("data.care",)),
        Item(
            "12a",
            "Methods: analysis",
            "How the data were used and divided.",
            ("data.partition", "data.counts"),
        ),
        Item("12b", "Methods: analysis", "How predictors were scaled and transformed.", ("data.preprocessing",)),
        Item(
            "12c",
            "Methods: analysis",
            "The kind of model, why, all steps of making it, internal validation.",
            ("model.description", "training.approach", "training.selection"),
            ("training.augmentation", "training.effort"),
        ),
        Item(
            "12d",
            "Methods: analysis",
            "How differences between clusters (hospitals, countries) were handled.",
            ("analysis.clusters|evaluation.clusters",),
        ),
        Item(
            "12e",
            "Methods: analysis",
            "The measures and plots, and why: discrimination, calibration, usefulness.",
            ("metrics.measures", "analysis.rationale"),
            ("evaluation.calibration", "evaluation.utility"),
        ),
        Item(
            "12f",
            "Methods: analysis",
            "Updating of the model after testing, such as recalibration.",
            ("analysis.updating|model.updating",),
            ("trust.calibration",),
        ),
        Item("12g", "Methods: analysis", "How predictions were computed in the test.", ("model.prediction",)),
        Item(
            "13",
            "Methods: class imbalance",
            "Methods against imbalance, why, and recalibration after them.",
            ("training.balance",),
            ("trust.calibration",),
        ),
        Item(
            "14",
            "Methods: fairness",
            "What was done for fairness, and why.",
            ("analysis.fairness",),
            ("evaluation.subgroups",),
        ),
        Item(
            "15",
            "Methods: model output",
            "What it says; how thresholds were found.",
            ("model.output", "model.thresholds"),
        ),
        Item(
            "16",
            "Methods: training and testing",
            "Differences between the data it was made on and tested on.",
            ("data.differences",),
            ("evaluation.shift",),
        ),
        Item(
            "17",
            "Methods: ethics",
            "The ethics committee, and consent or its waiver.",
            ("study.ethics", "study.consent"),
        ),
        Item("18a", "Open science", "Funding, and the role of those who paid.", ("study.funding",)),
        Item("18b", "Open science", "Conflicts of interest.", ("study.conflicts",)),
        Item("18c", "Open science", "The protocol, or that there is none.", ("study.protocol",)),
        Item("18d", "Open science", "Registration, or that there is none.", ("study.registration",)),
        Item("18e", "Open science", "Where the data can be had.", ("availability.data",)),
        Item("18f", "Open science", "Where the code can be had.", ("availability.code",), ("model.code",)),
        Item(
            "19",
            "Patients and public",
            "How patients and the public took part, or that they did not.",
            ("study.involvement",),
        ),
        Item(
            "20a",
            "Results: participants",
            "The flow of participants, with and without the outcome.",
            ("data.excluded", "data.counts"),
            ("data.events",),
        ),
        Item(
            "20b",
            "Results: participants",
            "Who they were, in each source: dates, size, outcomes, missing data, groups.",
            ("data.demographics", "data.dates", "data.counts"),
            ("data.events",),
        ),
        Item(
            "20c",
            "Results: participants",
            "The tested compared with those it was made on.",
            ("data.differences|evaluation.shift",),
        ),
        Item(
            "21",
            "Results: model development",
            "Participants and outcomes in each analysis.",
            ("data.counts", "data.events"),
        ),
        Item(
            "22",
            "Results: model specification",
            "The whole model, so that another can predict with it; restrictions.",
            ("model.specification", "availability.model"),
            ("model.licence",),
        ),
        Item(
            "23a",
            "Results: performance",
            "Performance with intervals, also in key groups.",
            ("evaluation.performance", "evaluation.subgroups"),
        ),
        Item(
            "23b",
            "Results: performance",
            "Differences between clusters, if looked at.",
            ("analysis.clusters|evaluation.clusters",),
        ),
        Item(
            "24",
            "Results: model updating",
            "What updating did.",
            ("analysis.updating|model.updating",),
        ),
        Item(
            "25",
            "Discussion: interpretation",
            "What it means, also for fairness, beside earlier work.",
            ("discussion.interpretation",),
        ),
        Item(
            "26",
            "Discussion: limitations",
            "Limitations and what they do to the results.",
            ("discussion.limitations",),
            ("use.limits",),
        ),
        Item(
            "27a",
            "Discussion: usability",
            "What to do with poor or missing input.",
            ("input.handling",),
        ),
        Item(
            "27b",
            "Discussion: usability",
            "What users must do, and what they must know.",
            ("use.interaction",),
            ("use.decides",),
        ),
        Item(
            "27c",
            "Discussion: usability",
            "Next steps, and on whom else it may hold.",
            ("discussion.next",),
        ),
    ),
)
