"""Every sentence of a report, in one table, so that another language is another table.

To add a language: a file like `sentences_chinese.py` with a sentence for every key here, and a row in LANGUAGES.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

from osler.core.registry import Registry
from osler.core.report import NOT_A_DEVICE, Report
from osler.results.phrases_chinese import CHINESE_PHRASES
from osler.results.sentences_chinese import CHINESE

Given = ParamSpec("Given")
Made = TypeVar("Made")
Patterns = tuple[tuple[re.Pattern[str], str], ...]  # what a sentence with blanks matches, and its other language

SENTENCES: dict[str, str] = {
    # findings
    "statement.binary": "{name}: probability {probability} ({called} at the operating point {operating_point}).",
    "called.present": "present",
    "called.absent": "not present",
    "statement.multiclass": "{name}: most probably {answer}, probability {probability}.",
    "statement.ordinal": "{name}: {grade}; expected grade {expected} on a scale of 0 to {top}.",
    "statement.regression": "{name}: {value}.",
    "statement.segmentation": "{name}: {measured}.",
    "statement.segmentation.absent": "{name}: not seen.",
    "statement.segmentation.at_most": "{name}: not seen ({percent} interval: at most {most}).",
    "statement.referable": "{name}: probability {probability} of grade {grade} or worse.",
    "among.one": "Only this cannot be excluded with {level} confidence: {names}.",
    "among.several": "Unsure: with {level} confidence none of these can be excluded: {names}.",
    "among.code": "Cannot be excluded with {level} confidence",
    "among.sure": " (with {level} confidence)",
    "among.between": " (with {level} confidence {low} to {high})",
    "statement.where": "Picture {number}{side}: {statement}",
    "side.L": " (left)",
    "side.R": " (right)",
    "finding.referable": "Referable retinopathy",
    "finding.number": "Answer",
    # measurements
    "measure.volume": "Volume",
    "measure.area": "Area",
    "measure.long_axis": "Longest diameter in a slice",
    "measure.short_axis": "Perpendicular diameter in that slice",
    "measure.flat_long_axis": "Longest diameter",
    "measure.flat_short_axis": "Perpendicular diameter",
    "measure.diameter_3d": "Longest diameter in space",
    "measure.pieces": "Separate pieces",
    "measure.probability": "Mean probability inside",
    "measure.between": "{measured} ({percent} interval {between})",
    "measure.lesion": "L{number}",
    "measure.mean": "Mean",
    "measure.deviation": "Standard deviation",
    "measure.median": "Median",
    "measure.percentile": "{percent}th percentile",
    "measure.least": "Least value",
    "measure.greatest": "Greatest value",
    "measure.suv_max": "SUVmax",
    "measure.suv_mean": "SUVmean",
    "measure.suv_peak": "SUVpeak",
    "measure.sul_peak": "SULpeak",
    "measure.suv_peak_at_max": "SUVpeak around the hottest voxel",
    "measure.peak_cut": "{name} ({share} of the sphere lies in the picture)",
    "measure.glycolysis": "Total lesion glycolysis",
    "measure.metabolic_volume": "Metabolic tumour volume, {threshold}",
    "measure.glycolysis_above": "Total lesion glycolysis, {threshold}",
    "measure.threshold.fixed": "SUV {suv} or more",
    "measure.threshold.share": "{percent} of SUVmax or more",
    "measure.threshold.liver": "the liver's mean and two standard deviations or more",
    "measure.change": "{name}, change since the earlier study",
    "measure.change_days": "{name}, change in {days} days",
    "measure.doubling_time": "Volume doubling time",
    "measure.halving_time": "Volume halving time",
    "measure.of": "{name}, {part}",
    "measure.asymmetry": "Asymmetry, left against right",
    "measure.surface_mean": "Mean distance between the outlines",
    "measure.surface_95": "Distance between the outlines, 95th percentile (HD95)",
    "measure.agatston": "Agatston score",
    "measure.agatston_estimated": "Agatston score, estimated",
    "measure.calcium_volume": "Calcium volume",
    "measure.calcium_mass": "Calcium mass",
    "measure.heart.left": "left ventricle",
    "measure.heart.right": "right ventricle",
    "measure.heart.filled": "End-diastolic volume, {ventricle}",
    "measure.heart.empty": "End-systolic volume, {ventricle}",
    "measure.heart.stroke": "Stroke volume, {ventricle}",
    "measure.heart.fraction": "Ejection fraction, {ventricle}",
    "measure.heart.mass": "Mass of the left ventricle's wall",
    "measure.heart.wall_mean": "Mean wall thickness",
    "measure.heart.wall": "Greatest wall thickness",
    "measure.heart.indexed": "{name}, per m2 of body surface",
    "measure.midline_shift": "Midline shift",
    "measure.angle": "Angle",
    # key pictures
    "picture.read": "What was read",
    "picture.numbered": "Picture {number}{side}",
    "picture.outlined": "{name}, outlined",
    "picture.outer": "Outer: misses at most {percent} of it, in the expected patient",
    "picture.inner": "Inner: at most {percent} of it is something else, in the expected patient",
    "picture.slice": "{plane}, slice {number} of {slices}: {name}",
    "picture.middle": "{plane}, slice {number} of {slices}",
    "plane.axial": "Axial",
    "plane.coronal": "Coronal",
    "plane.sagittal": "Sagittal",
    "plane.unknown": "Slice plane",
    # what a study shows
    "shows.both": "it shows {part} ({modality})",
    "shows.part": "it shows {part}",
    "shows.modality": "its header says {modality}, but not which part of the body it shows",
    "shows.nothing": "its file does not say what it shows",
    "shows.flat": "{colour} picture of {columns} by {rows} pixels",
    "shows.colour": "a colour",
    "shows.grey": "a grey",
    "shows.volume": "a volume of {slices} slices",
    # why a model may not read
    "declined.none": "No model may read this study: {shows}; the models here read: {reads}.",
    "declined.none.remedy": "Use a model made for such pictures: train one, or add one with osler models add.",
    "declined.empty": "There is no model on the shelf, so nothing can be read.",
    "declined.empty.remedy": "Train a model, or add one with osler models add.",
    "declined.only": "The model {model} may not read this study: {why}",
    "declined.several": "Several models could read this study and its file does not say what it shows: {models}.",
    "declined.several.remedy": "Say which one is meant: --pathway {first}.",
    "declined.nothing": "The study holds no picture.",
    "declined.nothing.remedy": "Send the images of the study.",
    "against.modality": "The header says {said}; the model reads {wanted}.",
    "against.body_part": "The header says {said}; the model reads {wanted}.",
    "against.view": "The view is {said}; the model reads {wanted}.",
    "against.silent_card": "The header says {said}, the model's card does not say what it reads; "
    "it reads such a study only when it is asked for by name.",
    "against.dims": "The study holds {held}; the model reads {wanted}.",
    "against.channel": "The study holds no {channel}, which the model needs.",
    "against.channels": "The model reads {wanted} pictures together, and which are meant cannot be told.",
    "against.hounsfield": "The file names no modality, and its numbers are no Hounsfield units: none is below 0.",
    "against.not_magnitude": "The file names no modality; its numbers look like the Hounsfield units of a CT.",
    "against.grey": "The picture is grey; the model reads colour pictures.",
    "against.colour": "The picture is in colour; the model reads grey pictures.",
    # unlike the pictures that the model learnt from
    "unlike": "The picture is unlike those that the model learnt from: {reason}{how}.",
    "unlike.how": " (p = {p}; {alarm} of pictures like theirs are called so too; measured on {patients} patients)",
    "unlike.few": " (more than any picture of the {patients} patients that the gate was fitted on)",
    "unlike.fact": "{value} {name}, where they have {seen}",
    "unlike.net": "what the net makes of it lies far from what it makes of them",
    "unlike.neighbours": "what the net makes of it has no near one among them",
    "unlike.look": "it looks unlike them as a whole",
    "unlike.grey values": "its grey values are spread unlike theirs",
    "unlike.upside down": "it seems to stand upside down",
    "unlike.mirrored": "it seems to be mirrored, left for right",
    "unlike.turned by 180": "it seems to be turned by half a turn",
    "unlike.turned left": "it seems to be turned by a quarter to the left",
    "unlike.turned right": "it seems to be turned by a quarter to the right",
    "unlike.inverted": "it seems to be inverted, black for white",
    "unlike.slices backwards": "its slices seem to run the other way",
    "refusal.remedy": "Use a model made for such pictures.",
    "kind.flat": "flat images",
    "kind.volume": "volumes",
    # what a pathway asks of a picture
    "guard.fundus": "The picture does not have the red of a fundus.",
    "guard.fundus.remedy": "Send the colour photograph of the fundus itself.",
    "guard.hippocampus": "The volume covers {sides} mm; the model reads 20 to 80 mm around one hippocampus.",
    "guard.hippocampus.remedy": "Cut a box around each hippocampus, and read it by itself.",
    # what to mind
    "caution.children": "The model was trained and tested on children of one to five years; {patient}.",
    "caution.children.remedy": "Do not rely on the probability for anybody older or younger.",
    "caution.age": "this patient is {years} years old",
    "caution.age_unknown": "this patient's age is not known",
    "caution.hippocampus": "No norm is applied: volumes differ with age, head size and who draws the outline.",
    "caution.hippocampus.remedy": "Compare only with volumes measured by the same model.",
    "caution.supposed": "The file does not say what it shows; the answer supposes {sees}.",
    "caution.silent": "The header does not say the {facts}; the answer supposes {sees}.",
    "caution.supposed.remedy": "Make sure that it is so before you use the answer.",
    "caution.odd": "Out of the range of the pictures that the model learnt from: {facts}.",
    "caution.unlike.remedy": "Trust the answer less than its probability says.",
    "caution.others": "Other models may read this study too: {models}.",
    "caution.others.remedy": "Ask for one by name: --pathway {first}.",
    "caution.left_out": "{number} of {total} pictures were not read: {why}",
    "caution.left_out.remedy": "Read them by themselves where they matter.",
    "caution.chosen": "The study holds {total} series that the model may read; the one with most slices was read.",
    "caution.limit": "The study holds {total} pictures that the model may read; the first {limit} were read.",
    "caution.unread": "A part of the study could not be read: {problem}",
    "caution.unread.remedy": "Send that part again if it matters.",
    "caution.prevalence": "The probabilities are corrected for a place where {now}; the model learnt where {was}.",
    "caution.prevalence.remedy": "Make sure that this is the prevalence among patients sent for such a picture.",
    "caution.prevalence.share": "{name} makes up {share}",
    "caution.prevalence.values": " With the sensitivity {sensitivity} and specificity {specificity} of its test "
    "({data}, {patients} patients), {positive} of what it calls present there is so, and {negative} of what it "
    "calls not present.",
    "caution.prevalence.sets": " What it promised to exclude does not hold there and is left out.",
    "caution.cut": "Cut off at the edge of the picture, so measured too small: {names}.",
    "caution.cut.remedy": "Use a picture that holds all of it.",
    "odd.body_part": "The header's body part says {said}, its description {described}.",
    "odd.remedy": "Check that the right study was sent.",
    "caution.weight": "The header gives {header} kg, the request {told} kg; SUVs are made with the header's "
    "weight.",
    "caution.weight.remedy": "Find out which is right: every SUV changes with it.",
    "caution.note.remedy": "Mind it where the numbers matter.",
    "caution.specks": "{number} pieces smaller than {least} ml are left out of what the model drew.",
    "caution.specks.remedy": "Look for small lesions yourself.",
    # between sentences, and between names in a row
    "join.sentences": " ",
    "join.names": ", ",
    "join.clauses": "; ",
    "join.and_the": " and the ",
    "join.title": "{title}: ",
    "join.aside": "{said} ({aside})",
    "join.pair": "{name}: {said}",
    "join.times": "{many} x {name}",
    # the page
    "page.notice": NOT_A_DEVICE,
    "page.notice.short": "For research, not a medical device.",
    "page.title": "Reading of {study}",
    "page.kicker": "Image reading report",
    "page.declined": "Not read",
    "page.declined.lead": "No answer is given for this study.",
    "page.why_each": "Why each model may not read it",
    "page.what_to_do": "What to do",
    "page.answer": "Answer",
    "page.findings": "Findings",
    "page.measurements": "Measurements",
    "page.structure": "Structure",
    "page.measure": "Measurement",
    "page.value": "Value",
    "page.pictures": "Key pictures",
    "page.cautions": "Mind when reading",
    "page.model": "Model",
    "page.sees": "Reads",
    "page.not_for": "Not for, and limits",
    "page.tested": "Tested",
    "tested.line": "{metric} {value} ({low} to {high}) on {data}, {split}, {patients} patients",
    "page.untested": "No test is recorded on its card.",
    "page.licence": "Licence",
    "page.version": "Version",
    "page.versioned": "{name}, Version {version}",
    "page.digest": "Digest",
    "page.pathway": "Pathway",
    "page.modality": "Modality",
    "page.body_part": "Body part",
    "page.view": "View",
    "page.side": "Side",
    "page.patient": "Patient",
    "page.device": "Device",
    "page.uid": "Study UID",
    "page.created": "Read at",
    "page.not_said": "not said",
    "page.years": "{years} years",
    "page.sex.F": "female",
    "page.sex.M": "male",
    "page.sex.O": "other",
    "page.times": "Time",
    "page.total": "total",
    "page.present": "present",
    "page.absent": "not present",
    "page.number": "Page {number} of {pages}",
    "page.priority": "Priority",
    "page.priority.now": "Now",
    "page.priority.soon": "Soon",
    "page.priority.routine": "Routine",
    "page.priority.mind": "Orders the worklist; it is no diagnosis.",
    "page.priority.score": "Priority score",
    "page.points": "Points to mind: {count}, listed below. Read them before you use the answer.",
    "page.follows": "What follows",
    "page.advice": "Recommended",
    "page.nearby": "Cannot be excluded",
    "page.refused": "Not used",
    "page.rule": "Rule",
    "page.source": "Source",
    "page.grounds": "What the rule was told",
    "page.from": "From",
    "page.rests_on": "Rests on",
    "page.compared": "Compared with the earlier study",
    "page.centre": "centre {x}, {y}, {z} mm (LPS)",
    "page.interval": "Interval",
    "page.interval.level": "{interval} ({level})",
    "page.range": "{low} to {high}",
    "page.sign": "Decision of a person",
    "page.sign.unsigned": "Not valid until a person has signed.",
    "page.sign.agree": "Agreed",
    "page.sign.changed": "Agreed with changes",
    "page.sign.not_agreed": "Not agreed",
    "page.sign.remarks": "Changes and remarks",
    "page.sign.name": "Name",
    "page.sign.date": "Date",
    "page.sign.signature": "Signature",
    # why the model said so
    "page.why": "Why the model said so",
    "why.way.gradcam": "Grad-CAM",
    "why.way.finer": "Fine Grad-CAM",
    "why.way.gradients": "Integrated gradients",
    "why.way.occlusion": "Occlusion",
    "why.way.similar": "Similar cases",
    "why.or_worse": "'{grade}' or worse",
    "why.picture": "{way}: what speaks for {about} (no outline, no proof)",
    "why.failed": "{way}, did not pass its checks: not to be relied on",
    "why.slice": "{title}, slice {number} of {slices}",
    "why.less": "less",
    "why.more": "speaks most for {about}",
    "why.shown": "Marks what speaks for {about}, and passed its checks.",
    "why.not_shown": "The map for {about} did not pass its checks and should not be relied on.",
    "why.hidden.odds": "Hiding the marked {share} of the picture divides the net's odds of {about} by {marked}; "
    "hiding as much elsewhere divides them by {mean} on average, by {worst} at most ({tries} tries).",
    "why.hidden.number": "Hiding the marked {share} of the picture lowers {about} by {marked}; hiding as much "
    "elsewhere lowers it by {mean} on average, by {worst} at most ({tries} tries).",
    "why.hidden.voxels": "Hiding the marked {share} of the picture takes {marked} voxels from {about}; hiding as "
    "much elsewhere takes {mean} on average, {worst} at most ({tries} tries).",
    "why.unfaithful": "What it marks matters no more to the answer than other parts do.",
    "why.weak": "What it marks matters more than other parts do, but hardly changes the answer.",
    "why.learnt": "With the net's last weights drawn anew the map becomes another (rank correlation {likeness}, "
    "{tries} tries).",
    "why.not_learnt": "With the net's last weights drawn anew the map stays nearly the same (rank correlation "
    "{likeness}, {tries} tries): it shows the picture, not what the model learnt.",
    "why.nothing": "Nothing in the picture is marked as speaking for {about}.",
    "why.nan": "There is no map for {about}: its numbers are none.",
    "why.similar.classes": "Of the {count} training cases that the net finds most like this one, {agree} are "
    "labelled {name} ({others}); distances {near} to {far}, {cases} cases compared.",
    "why.similar.label": "Of the {count} training cases that the net finds most like this one, {agree} are "
    "labelled with {name}; distances {near} to {far}, {cases} cases compared.",
    "why.similar.numbers": "The {count} training cases that the net finds most like this one have the numbers "
    "{numbers}; distances {near} to {far}, {cases} cases compared.",
    "why.similar.none": "No features of training cases are stored with this model; give the data with --data.",
    "why.similar.unlabelled": "The {count} training cases that the net finds most like this one lie at distances "
    "{near} to {far}; {cases} cases were compared, and no labels are stored.",
    "why.outline": "The outline itself shows what was found. A map of what speaks for it is made when it is asked "
    "for: --how gradcam, finer, gradients or occlusion.",
    "why.cannot": "Not possible with this model: it gives no gradients, or keeps no features in space.",
    "why.mind": "A map shows where the answer comes from, not what is there: it is no proof, and no outline of a "
    "finding. A right answer can have an odd map, and a wrong one a map that looks right.",
    "why.page": "Why {model} said so",
    "why.neighbour": "{label}, distance {distance}: {case}",
    "why.asked": "What was explained",
    "why.unlabelled": "no label",
    # a reading in a few lines, for a terminal
    "line.declined": "{study}: declined.",
    "line.read": "{study}: read for {pathway}.",
    "line.priority": "{urgency}: {because}",
    "line.nothing": "Nothing was found.",
    "line.mind": "Mind: {what}",
    "line.page": "Page: {path}",
    "line.report": "Report: {path}",
    "line.written": "Written, {format}: {files}",
    "line.not_written": "Not written, {format}: {why}",
    "line.by": "By {model} ({digest}).",
    # stages of a reading, and how long each took
    "stage.choose": "choosing",
    "stage.quality": "quality",
    "stage.load": "loading",
    "stage.predict": "predicting",
    "stage.findings": "measuring",
    "stage.pictures": "drawing",
    "stage.explain": "explaining",
    "stage.outlines": "reading outlines",
    "stage.earlier": "earlier studies",
    "stage.conclude": "concluding",
    # image features that are not defined
    "radiomics.undefined": "not defined for this region",
    "radiomics.one_level": "not defined where all voxels have one grey level",
    "radiomics.no_neighbours": "not defined where no two voxels are neighbours",
    "radiomics.constant": "not defined where all voxels have one intensity",
    "radiomics.flat": "not defined for a region that is one voxel thick",
    "radiomics.zero_mean": "not defined where the mean is 0",
    "radiomics.zero_quartiles": "not defined where the quartiles add up to 0",
    "radiomics.too_large": "not computed: every pair of voxels counts, and there are too many of them",
    # the knee
    "guard.knee": "The picture does not look like a grey radiograph cut to one knee joint.",
    "guard.knee.remedy": "Cut the frontal radiograph to the joint: both bones fill its width, the gap lies in "
    "the middle.",
    "finding.knee": "Osteoarthritis of the knee (grade 2 or worse)",
    "statement.knee": "{name}: probability {probability}. Grades 1 and 2, on which readers disagree most, hold "
    "{first} and {second}.",
    "caution.knee.readers": "Readers often disagree between grade 1 and grade 2: look at the whole distribution.",
    "caution.knee.readers.remedy": "Decide from the picture: a definite osteophyte makes a grade 2.",
    "caution.knee.pain": "The grade describes the picture; pain and function may be better or worse than it.",
    "caution.knee.pain.remedy": "Judge them by what the person says and by examination.",
    "priority.knee": "A grade of wear is no emergency. This study does not show whether there is another reason "
    "to hurry.",
    # severity for assessors
    "assess.title": "Severity statement {pseudonym}",
    "assess.kicker": "Severity statement",
    "assess.notice": "This is a statement, not a decision. A person decides, and writes and signs the decision "
    "below.",
    "assess.purpose": "Purpose",
    "assess.consent": "Consent",
    "assess.consent.line": "{reference}, signed {date}{until}",
    "assess.until": ", until {date}",
    "assess.scope": "Consent covers",
    "assess.decides": "Decides",
    "assess.made": "Stated at",
    "assess.side.L": "Left",
    "assess.side.R": "Right",
    "assess.severity": "Severity",
    "assess.promise": "In {share} of such patients the true grade lies between {low} and {high}.",
    "assess.promise.one": "In {share} of such patients the true grade is this one: {low}.",
    "assess.no_promise": "The model promises no interval of grades.",
    "assess.grade_only": "{grade} (with {level} confidence)",
    "assess.grade_between": "{grade} (with {level} confidence {low} to {high})",
    "assess.bars": "Probability of each grade. Marked: grades that cannot be excluded.",
    "assess.evidence": "Evidence",
    "assess.evidence.digest": "Pixels that were read (SHA-256):",
    "assess.uid": "Statement:",
    "assess.function": "Found outside the pictures",
    "assess.function.mind": "As the request tells it. Osler did not check it, and it does not change the grade.",
    "assess.rules": "By published rules",
    "assess.compared": "Compared with earlier studies",
    "assess.no_earlier": "No earlier study was given, so nothing is said of a change.",
    "assess.when.days": "{days} days before",
    "assess.when.unknown": "Earlier, on a day that its file does not say",
    "assess.change.apart": "{when}: {before}; now: {now}. The intervals do not overlap: it changed, with at least "
    "{level} confidence.",
    "assess.change.overlap": "{when}: {before}; now: {now}. The intervals overlap: the studies do not prove a "
    "change.",
    "assess.change.open": "{when}: {before}; now: {now}. No interval is promised: the studies do not prove a "
    "change.",
    "assess.change.measured": "{when}: {before}; now: {now}{by}.",
    "assess.change.by": " ({percent} %)",
    "assess.quality": "Data quality",
    "assess.passed": "Checked and passed: {checks}.",
    "assess.like": "Like the pictures that the model learnt from: of those of {patients} validation patients, "
    "{share} "
    "are at least as unusual.",
    "assess.no_gate": "The model cannot tell how like its training pictures this one is.",
    "assess.check.numbers": "all pixels are numbers",
    "assess.check.tiny": "large enough to show anything",
    "assess.check.small": "as many pixels as the model needs",
    "assess.check.mask": "a picture, not a mask",
    "assess.check.blank": "not empty",
    "assess.check.strip": "not a strip",
    "assess.check.burnt_out": "not burnt out",
    "assess.check.clipped": "not clipped",
    "assess.check.few_slices": "enough slices",
    "assess.check.thick_slices": "slices thin enough",
    "assess.check.spacing_missing": "pixel size known",
    "assess.check.spacing_odd": "pixel size plausible",
    "assess.limits": "Model and its limits",
    "assess.decide": "A person who was named above, or stands in for them, looks at the pictures and decides. A "
    "statement without this entry is no ground for any act towards the person.",
    "assess.decide.agree": "agree with the grade",
    "assess.decide.changed": "changed to: ________",
    "assess.decide.withheld": "no grade can be given",
    "assess.decide.reason": "Reason: what was looked at, and why",
    "assess.decide.name": "Name and role",
    "assess.objection": "Objection",
    "assess.object": "The assessed person may object, say what they think, and have the decision reviewed by "
    "another "
    "person (GDPR Art. 22(3)), {when}: {contact}",
    "assess.object.always": "at any time",
    "assess.object.days": "within {days} days of hearing of it",
    "assess.mind.burnt_in": "Letters burnt into a picture are not searched for.",
    "assess.mind.burnt_in.remedy": "Look at each picture before the statement leaves the house.",
    "assess.mind.unread": "A part of the study could not be read; the statement rests on the rest.",
    "assess.mind.unread.remedy": "Open the study with osler show to see which part, and send it again if it "
    "matters.",
    "assess.mind.side": "The header does not say which side it shows; the side is the request's word.",
    "assess.mind.side.remedy": "Check the side marker on the film.",
    "assess.mind.one_person": "The headers do not say that all studies show one person; it is the request's word.",
    "assess.mind.one_person.remedy": "Check where the earlier studies come from.",
    "assess.mind.incomparable": "The earlier studies hold nothing that can be compared: other names, sides, "
    "scales or models.",
    "assess.mind.incomparable.remedy": "Give earlier studies of the same kind and side.",
    "assess.mind.purpose.remedy": "Ask the person responsible for data protection before it is used so.",
    "purpose.disability": "Degree of disability",
    "purpose.work_capacity": "Capacity for work",
    "purpose.work_capacity.mind": "Capacity for work cannot be seen in a picture; the grade is one part of the "
    "evidence.",
    "purpose.insurance_claim": "Claim to an insurance",
    "purpose.insurance_pricing": "Risk and price of a life or health insurance",
    "purpose.insurance_pricing.mind": "This use is high-risk under the AI Act (Annex III, 5(c)): it takes an "
    "assessment "
    "of its effect on fundamental rights, and Osler was not made for it.",
    "purpose.court": "Expert opinion for a court",
    "purpose.second_opinion": "Second opinion for the treating doctor",
    "purpose.research": "Research",
    "purpose.research.mind": "A statement made for research may not be used to decide about this person.",
    # the audit of a book of cases
    "audit.title": "Audit of severity statements",
    "audit.who": "Statements: {statements}; persons: {persons}; copies, counted once: {copies}.",
    "audit.how": "Intervals are 95 %, by person. Numbers of fewer than {fewest} persons are small and marked or "
    "left out.",
    "audit.scale": "{name}, persons: {persons}, items: {items} ({spread})",
    "audit.retest": "The same joint again",
    "audit.agreement": "Person and model",
    "audit.by": "By {column}",
    "audit.again": "Same pixels, same grade",
    "audit.pairs": "Two studies of one person and side",
    "audit.same": "Two studies, same grade",
    "audit.within_one": "Two studies, at most one grade apart",
    "audit.shift_retest": "Second grade less the first, mean",
    "audit.kappa": "Quadratic weighted kappa",
    "audit.decided": "Decided by a person",
    "audit.withheld": "No grade given by the person",
    "audit.overruled": "Overruled",
    "audit.ways": "{up} up, {down} down",
    "audit.shift": "Person less model, mean in grades",
    "audit.inside": "Person's grade inside the interval ({promised} promised)",
    "audit.grade": "Model's grade, mean",
    "audit.gap": "{name}, less all others",
    "audit.group": "{name}: {persons} persons, {items} items, {decided} decided.",
    "audit.group_head": "Group",
    "audit.n_head": "Persons / items / decided",
    "audit.unknown": "{items} items whose statement does not say it are left out.",
    "audit.tests": "{tests} tests, corrected together (Holm); p by handing groups round among persons of one "
    "grade.",
    "audit.corrected": "corrected",
    "audit.n": "n = {persons} persons, {cases} cases",
    "audit.few": "n = {persons}: too few persons for an interval",
    "audit.undefined": "not defined: all of one grade (n = {persons} persons)",
    "audit.no_interval": "no interval: every resample is the same",
    "audit.none": "none",
    "audit.of": "{some} of {all}",
    "audit.small": "n = {persons}: too few persons for a number",
    "audit.small.decided": "decisions on n = {persons} persons: too few for a number",
    "audit.several_groups": "{persons} persons lie in several groups and are left out of the comparison",
    "audit.not_compared": "not compared: fewer than {fewest} persons on one side",
    "audit.note.models": "{models} models were used: grades of different models are compared as if of one.",
    "audit.note.undecided": "Items that no person decided, and that say nothing of agreement: {items}.",
    "audit.note.unordered": "Items without an order of grades, left out: {items}.",
    "audit.note.never": "{name}: in {decided} decisions nobody changed a grade. Check whether the pictures are "
    "looked at: agreement by habit is no decision of a person.",
    "audit.note.again": "{name}: the same pixels got another grade in {other} of {again} repeats.",
    "audit.note.between": "{name}: between two studies the disease may have changed, not only the grading.",
    "assess.subject": "Sex and age",
    "assess.promise.all": "With {share} confidence no grade can be excluded: the picture alone does not settle "
    "it.",
    "assess.median": "The likeliest single grade is another: {likeliest}. What is told is the middle of the "
    "distribution.",
    "assess.no_map": "No map of what speaks for the grade passed its checks, so none is shown.",
    # outlines that others drew, and earlier studies
    "outlines.given": "outlines given with the request",
    "outlines.given.limit": "Who drew the outlines, and how, is not known to Osler; every measure rests on them.",
    "outlines.taken": "Taken from {file}, on {picture}: {names}.",
    "outlines.taken.remedy": "Check that these are the structures that are meant.",
    "outlines.empty": "{file} names structures that hold no voxel of the study: {names}.",
    "outlines.empty.remedy": "They were left out; outline them again if they matter.",
    "outlines.left_out": "Outlined, but no lesions, and left out: {names}.",
    "outlines.left_out.remedy": "Name them otherwise if they are lesions.",
    "outlines.remark.remedy": "Check the outlines on the key pictures.",
    "outlines.resampled": "{file} lies on another grid; it was brought to the nearest voxels of {picture}.",
    "outlines.frame_unknown": "The pictures do not say their frame of reference; {file} was taken to belong to "
    "{picture}.",
    "outlines.other_series": "{file} was drawn on another series of the same frame of reference; it was read "
    "onto {picture}.",
    "outlines.picture": "picture {number}{kind}",
    "outlines.kind": " ({modality})",
    "outlines.label": "Outline {number}",
    "outlines.not_read": "The pathway {pathway} does not read outlines.",
    "outlines.modality": "The pathway {pathway} needs a picture of the modality {wanted}, and the study holds "
    "none.",
    "outlines.body_part": "The pathway {pathway} does not read a study that shows {shown}.",
    "lesion.name": "Lesion {lesion}",
    "earlier.patient_unknown": "The files do not say that {study} is of the same patient.",
    "earlier.patient_unknown.remedy": "Make sure that it is.",
    "earlier.date_unknown": "The files do not say how long before the study {study} was taken.",
    "earlier.date_unknown.remedy": "Rates such as a doubling time cannot be told; make sure that it is the "
    "earlier one.",
    "earlier.said": "{study}: {what}",
    "earlier.other_rules": "{study} was read by other rules than the study: a model here, outlines there.",
    "earlier.other_rules.remedy": "A difference may come from who drew the outlines.",
    "earlier.not_registered": "{study} could not be laid over the study: {why}",
    "earlier.not_registered.remedy": "Lesions were matched where the headers put them; check which is which.",
    "conclusion.refused": "{title}: no conclusion. {why}",
    "conclusion.defect": "The rule failed; that is a defect of Osler ({kind}), not of the data.",
    "lesion.name_of": "Lesion {lesion} ({of})",
    "outlines.beyond": "{number} of {lines} contours of {name} in {file} lie beyond the slices of the study: it "
    "is measured too small.",
    # guidelines: words of all of them
    "guide.says": "{title}: {category}, {means}.",
    "guide.says.plain": "{title}: {means}.",
    "guide.total": "{title}: {total} of {top}.",
    "guide.refused": "{title}: not applied. {why}",
    "guide.needs": "It needs what is not known: {names}.",
    "guide.no_row": "The publication names no category for this.",
    "guide.otherwise": "none of the rows before",
    "guide.unknown": "not known",
    "guide.supposed": "not known, supposed: {value}",
    "guide.computed": "computed",
    "guide.rounded": "{value}, counts as {rounded}",
    "guide.to": "{low} to {high}",
    "guide.at_least": "{low} or more",
    "guide.above": "above {low}",
    "guide.at_most": "at most {high}",
    "guide.below": "below {high}",
    "guide.to_below": "{low} to below {high}",
    "guide.above_to": "above {low} to {high}",
    "guide.above_below": "above {low}, below {high}",
    "guide.either": "{first} ({second})",
    "guide.or": "or",
    "guide.page.review": "To be reviewed by a clinician before use.",
    "guide.page.for": "For whom",
    "guide.page.not": "Refused",
    "guide.page.not.one": "{what}: {limit}",
    "guide.page.not.missing": "Any needed input that is not known",
    "guide.page.asks": "What it asks",
    "guide.page.input": "input",
    "guide.page.meaning": "meaning",
    "guide.page.values": "values",
    "guide.page.needed": "needed",
    "guide.page.where": "where it matters",
    "guide.page.supposed": "no: supposed {value}",
    "guide.page.either": "no: tried every way",
    "guide.page.range": "{low} to {high}",
    "guide.page.steps": "in steps of {step}",
    "guide.page.rows": "The table",
    "guide.page.rows_of": "Table: {what}",
    "guide.page.first": "The first row that fits applies; an empty cell asks nothing.",
    "guide.page.each": "Applied to each of: {names}.",
    "guide.page.category": "category",
    "guide.page.categories": "What follows from the category:",
    "guide.page.advice": "advice",
    "guide.page.terms": "The sum",
    "guide.page.term": "term",
    "guide.page.times": "times",
    "guide.page.computed": "Computed from the inputs",
    "guide.page.notes": "Limits, and how we read it",
    "guide.page.checked": "What was verified",
    "guide.page.examples": "Worked examples",
    "guide.page.given": "given",
    "guide.page.follows": "follows",
    "guide.page.refused": "refused",
    "guide.page.source": "Source",
    "guide.page.version": "Version: {version}. Name in reports and commands: `{name}`.",
    "guide.request": "the request",
    "guide.line.nearby": "So close to a limit that these cannot be excluded: {names}.",
    "guide.line.rule": "By the row: {rule}.",
    "guide.line.source": "Version {version}. {source}",
    "guide.not.child": "It holds for adults; the patient is younger than 18.",
    "guide.not.sex": "It holds for women and men; the sex is given as other.",
    "unit.years": "years",
    "unit.months": "months",
    "unit.weeks": "weeks",
    "unit.minutes": "minutes",
    "word.yes": "yes",
    "word.no": "no",
    "word.F": "female",
    "word.M": "male",
    "word.O": "other",
    "word.low": "low",
    "word.high": "high",
    "word.solid": "solid",
    "word.part-solid": "part-solid",
    "word.ground-glass": "ground-glass",
    "word.airway": "in an airway",
    "word.cyst": "cyst of unusual look",
    "word.baseline": "first examination",
    "word.new": "new",
    "word.growing": "growing",
    "word.slowly-growing": "growing slowly",
    "word.stable": "stable",
    "word.smaller": "smaller",
    "word.segmental": "segmental or more central",
    "word.subsegmental": "subsegmental",
    "word.thin-walled": "thin wall",
    "word.thick-walled": "thick wall",
    "word.multilocular": "several chambers",
    "word.grew": "grew as a whole",
    "word.wall-grew": "wall thicker, or more nodular",
    "word.became-multilocular": "has several chambers now",
    "word.more-locules": "more chambers",
    "word.more-opacity": "new or denser opacity",
    "word.none": "none",
    "word.complete": "all gone",
    "word.persistent": "neither gone nor clearly growing",
    "word.progression": "clearly growing",
    "word.not-evaluated": "not evaluated",
    "word.2": "2",
    "word.3": "3",
    "word.4A": "4A",
    "word.4B": "4B",
    "word.CR": "CR",
    "word.PR": "PR",
    "word.SD": "SD",
    "word.PD": "PD",
    "word.NE": "NE",
    "word.Non-CR/Non-PD": "Non-CR/Non-PD",
    "ask.age_years": "age",
    "ask.sex": "sex",
    "ask.known_cancer": "known cancer",
    "ask.screening": "screening for lung cancer",
    # guidelines: pulmonary nodules
    "term.intercept": "1",
    "term.age_years": "age in years",
    "term.female": "female",
    "term.family_history": "lung cancer in the family",
    "term.emphysema": "emphysema",
    "term.size": "1 / √(diameter in cm)",
    "term.size_mm": "diameter in mm",
    "term.upper_lobe": "in an upper lobe",
    "term.part-solid": "part-solid",
    "term.ground-glass": "ground-glass",
    "term.count": "number of nodules",
    "term.spiculated": "spiculated",
    "term.smoker": "smokes or has smoked",
    "term.past_cancer": "cancer outside the chest more than 5 years ago",
    "ask.kind": "kind of nodule",
    "ask.multiple": "several nodules",
    "ask.size_mm": "diameter",
    "ask.volume_mm3": "volume",
    "ask.solid_mm": "diameter of the solid part",
    "ask.risk": "risk of cancer",
    "ask.immune_suppressed": "weak immune defence",
    "ask.state": "since the earlier examination",
    "ask.juxtapleural": "on the pleura, smooth, oval or triangular",
    "ask.airway": "place in the airways",
    "ask.cyst": "kind of cyst",
    "ask.cyst_change": "change of the cyst",
    "ask.earlier_category": "category before",
    "ask.months": "time since then",
    "ask.count": "number of nodules",
    "ask.upper_lobe": "in an upper lobe",
    "ask.spiculated": "spiculated",
    "ask.emphysema": "emphysema",
    "ask.family_history": "lung cancer in the family",
    "ask.probability": "probability of cancer",
    "ask.extrapolated": "age outside those of the people that the model was made from",
    "ask.smoker": "smokes or has smoked",
    "ask.past_cancer": "cancer outside the chest more than 5 years ago",
    "ask.recent_cancer": "cancer within 5 years, or lung cancer ever",
    "fleischner.title": "Pulmonary nodule found by chance, Fleischner 2017",
    "fleischner.for": "Adults of 35 years and more with a nodule found by chance on CT.",
    "fleischner.not.young": "It holds from 35 years on.",
    "fleischner.not.cancer": "It does not hold for patients with a known cancer: the nodule may be a metastasis.",
    "fleischner.not.immune": "It does not hold for patients with weak immune defence: the nodule may be an "
    "infection.",
    "fleischner.not.screening": "It does not hold at screening for lung cancer; Lung-RADS does.",
    "fleischner.none": "no routine follow-up",
    "fleischner.none.advice": "No routine follow-up. A suspicious look or an upper lobe may be a reason for "
    "a CT at 12 months.",
    "fleischner.optional": "CT at 12 months is optional",
    "fleischner.12": "A CT at 12 months is optional.",
    "fleischner.6_12": "CT in 6 to 12 months",
    "fleischner.6_12.low": "CT in 6 to 12 months; then consider one at 18 to 24 months.",
    "fleischner.6_12.high": "CT in 6 to 12 months, then at 18 to 24 months.",
    "fleischner.6_12.glass": "CT in 6 to 12 months to see whether it persists, then every 2 years until 5 years.",
    "fleischner.3": "CT in 3 months, PET/CT or tissue",
    "fleischner.3.advice": "Consider a CT in 3 months, PET/CT, or tissue sampling.",
    "fleischner.3_6": "CT in 3 to 6 months",
    "fleischner.3_6.low": "CT in 3 to 6 months; then consider one at 18 to 24 months.",
    "fleischner.3_6.high": "CT in 3 to 6 months, then at 18 to 24 months.",
    "fleischner.3_6.part": "CT in 3 to 6 months to see whether it persists. If it does, and the solid part "
    "stays below 6 mm, a CT every year for 5 years.",
    "fleischner.3_6.suspicious": "CT in 3 to 6 months to see whether it persists. If it does, a solid part "
    "of 6 mm or more is highly suspicious: consider PET/CT, biopsy or resection.",
    "fleischner.3_6.several": "CT in 3 to 6 months; if unchanged, consider one at 2 and at 4 years.",
    "fleischner.3_6.worst": "CT in 3 to 6 months; then as the most suspicious nodule asks.",
    "fleischner.note.rounded": "The diameter is the mean of the longest one and the one perpendicular to it, "
    "in whole millimetres: 5.5 mm counts as 6, 8.4 mm as 8.",
    "fleischner.note.volume": "Where a volume is given it decides, and the diameter does not.",
    "fleischner.note.most": "Of several nodules the most suspicious one is given, which need not be the largest.",
    "fleischner.note.benign": "Not for nodules that are clearly benign: calcified throughout, with fat, or "
    "with the look of a lymph node in the lung.",
    "fleischner.checked": "All rows are from our knowledge of the publication; a clinician should verify "
    "each against it.",
    "lung_rads.title": "Nodule at screening for lung cancer, thresholds of Lung-RADS v2022",
    "lung_rads.for": "People who take part in screening for lung cancer with low-dose CT.",
    "lung_rads.not.screening": "It holds at screening for lung cancer only; for a nodule found by chance ask "
    "Fleischner 2017.",
    "lung_rads.not.cancer": "It does not hold for patients with a known cancer.",
    "lung_rads.2": "benign look or behaviour",
    "lung_rads.3": "probably benign",
    "lung_rads.4a": "suspicious",
    "lung_rads.4b": "very suspicious",
    "lung_rads.2.advice": "Go on with screening: low-dose CT in 12 months.",
    "lung_rads.3.advice": "Low-dose CT in 6 months.",
    "lung_rads.4a.advice": "Low-dose CT in 3 months; PET/CT may be considered where the solid nodule or part "
    "is 8 mm or more.",
    "lung_rads.4b.advice": "Clinical evaluation: diagnostic CT, PET/CT where the solid nodule or part is 8 "
    "mm or more, or tissue, as a specialist decides.",
    "lung_rads.note.size": "The diameter is the mean of the longest one and the one perpendicular to it, to "
    "0.1 mm.",
    "lung_rads.note.growth": "Growing: more than {growth} mm within {months} months. Growing slowly: more "
    "over several examinations, but never that fast.",
    "lung_rads.note.person": "Categories 0 and 1, the modifier S and the step from 4 to 4X are for a person "
    "to set.",
    "lung_rads.note.highest": "The examination has the category of its highest nodule.",
    "lung_rads.note.open": "Where the publication leaves a case open we take the more careful row: a "
    "ground-glass nodule of 30 mm that grows is 3, a new nodule in a central airway is 4A, a new part-solid "
    "nodule whose solid part is 4 mm or more is 4B whatever its size. Stable nodules that were 3 or 4A keep "
    "their category until 6 or 3 months have passed.",
    "lung_rads.note.mark": "Lung-RADS is a trademark of the American College of Radiology, which neither "
    "made nor checked this table. The words are ours; read the original at the link below.",
    "lung_rads.checked": "Some limits were seen in a source, the others are from our knowledge of the "
    "publication. A clinician should verify every row against it.",
    "brock.title": "Risk of cancer of a nodule, Brock model",
    "brock.for": "People at risk of lung cancer with a nodule on CT. The model was made from smokers of 50 "
    "to 75 years at screening.",
    "brock.not.cancer": "It does not hold for patients with a known cancer: the nodule may be a metastasis.",
    "brock.tells": "The probability is {probability}.",
    "brock.below": "below 10 %, the limit for PET/CT",
    "brock.below.advice": "Follow-up by CT (British Thoracic Society 2015, for nodules of 8 mm or more, or "
    "that grow).",
    "brock.above": "10 % or more, the limit for PET/CT",
    "brock.above.advice": "PET/CT where the nodule is large enough for it, then a new estimate of the risk "
    "(British Thoracic Society 2015).",
    "brock.note.logistic": "The probability is 1 / (1 + e to the power of minus the sum of the terms).",
    "brock.note.unknown": "Answers that are not known are tried in every way: the probability is then given "
    "from - to, and refused where the advice differs.",
    "brock.note.calibration": "Calibrated at screening; elsewhere cancer may be more or less frequent. The "
    "limit of 10 % is that of the British Thoracic Society; single centres found 6 to 8 % better.",
    "brock.note.age": "Outside 50 to 75 years the model is extrapolated.",
    "brock.note.mayo": "Some programs give the Mayo coefficients (−6.8272, 0.0391, 0.7838) under this name; "
    "these are not they.",
    "brock.checked": "The coefficients were verified against PMC6717521, table 2, and three test values; "
    "limits and advice should be verified by a clinician.",
    "mayo.title": "Risk of cancer of a single nodule, Mayo model",
    "mayo.for": "Adults with one nodule of 4 to 30 mm that CT or radiography left unclear.",
    "mayo.not.mass": "It holds up to 30 mm; what is larger is a mass.",
    "mayo.not.tiny": "It holds from 4 mm on.",
    "mayo.not.cancer": "It does not hold with a cancer within 5 years, or with lung cancer ever.",
    "mayo.low": "very low, below 5 %",
    "mayo.low.advice": "Follow-up by CT (ACCP 2013, solid nodules above 8 mm).",
    "mayo.middle": "low to moderate, 5 to 65 %",
    "mayo.middle.advice": "PET to characterize the nodule (ACCP 2013, solid nodules above 8 mm).",
    "mayo.high": "high, above 65 %",
    "mayo.high.advice": "Surgical diagnosis, if the patient can bear it (ACCP 2013, solid nodules above 8 mm).",
    "mayo.note.where": "Made from patients of one clinic, of whom 23 % had cancer; elsewhere cancer may be "
    "less frequent.",
    "mayo.checked": "The coefficients were compared with a second source; limits and advice should be "
    "verified by a clinician.",
    # guidelines: response of tumours
    "ask.targets": "targets at baseline",
    "ask.baseline_mm": "sum of targets at baseline",
    "ask.nadir_mm": "smallest sum before",
    "ask.now_mm": "sum of targets now",
    "ask.targets_gone": "all targets but nodes gone",
    "ask.gone": "lesions as faint as what lies around them",
    "ask.node_mm": "largest short axis of target nodes",
    "ask.evaluated": "all targets evaluated",
    "ask.returned": "a target came back after CR",
    "ask.non_target": "non-target lesions",
    "ask.new_lesions": "new lesions",
    "ask.same_technique": "same technique",
    "ask.change_percent": "change against baseline",
    "ask.rise_percent": "change against the smallest sum before",
    "ask.rise_mm": "change against the smallest sum before, in mm",
    "ask.target_response": "response of targets",
    "ask.overall_response": "overall response",
    "ask.response": "response by RECIST 1.1",
    "ask.unconfirmed": "last state was iUPD",
    "ask.further": "progressed further since",
    "ask.weeks_since": "time since iUPD",
    "ask.node": "lymph node",
    "ask.longest_mm": "longest diameter",
    "ask.short_mm": "short axis",
    "ask.slice_mm": "slice thickness",
    "ask.longest_slices": "longest diameter in slices",
    "ask.short_slices": "short axis in slices",
    "ask.cystic": "simple cyst",
    "ask.bone_without_soft_tissue": "bone lesion without soft tissue",
    "recist.title": "Response of solid tumours, RECIST 1.1",
    "recist.for": "Adults with solid tumours in a trial or follow-up, measured by the same technique each time.",
    "recist.not.technique": "The studies were not made by the same technique, so their sums cannot be compared.",
    "recist.target.none": "no target lesions",
    "recist.cr": "complete response",
    "recist.pr": "partial response",
    "recist.sd": "stable disease",
    "recist.pd": "progressive disease",
    "recist.ne": "cannot be evaluated",
    "recist.non": "neither complete response nor progression",
    "recist.tells": "Targets: {target_response}; sum {now_mm}, {change_percent} against baseline, "
    "{rise_percent} against the smallest before; non-targets: {non_target}; new lesions: {new_lesions}.",
    "recist.note.nadir": "Progression is counted from the smallest sum so far, the baseline included; "
    "response from the baseline.",
    "recist.note.nodes": "Of lymph nodes the short axis counts, also once it is normal: a sum above 0 may be "
    "a complete response.",
    "recist.note.small": "A target that is seen but too small to be measured counts {small} mm.",
    "recist.note.missing": "Where a target was not evaluated the response cannot be either, but progression "
    "that the others show by themselves stands.",
    "recist.note.returned": "After a complete response a target that comes back is progression, however small.",
    "recist.note.confirm": "The response at one time. Trials without a control group ask for CR and PR to be "
    "confirmed after 4 weeks or more, and for SD to last as long as the protocol says.",
    "recist.note.person": "Whether non-targets clearly grow, and whether a lesion is new, is for a person to say.",
    "recist.checked": "The table of overall responses was seen in PMC5526620; the numbers are from our "
    "knowledge of the publication. A clinician should verify each against it.",
    "recist.lesion.title": "May a lesion be a target? RECIST 1.1",
    "recist.lesion.for": "Lesions on CT at baseline, in adults with solid tumours.",
    "recist.lesion.not.cystic": "A simple cyst is no tumour lesion.",
    "recist.lesion.not.bone": "A bone lesion without soft tissue is not measurable.",
    "recist.lesion.normal": "a lymph node of normal size",
    "recist.lesion.non_target": "too small for a target, followed as a non-target",
    "recist.lesion.measurable": "may be a target",
    "recist.lesion.note.ct": "On slices of more than 5 mm a lesion is measurable from twice their thickness "
    "on; of lymph nodes the short axis must reach both limits.",
    "recist.lesion.note.choice": "At most {most} targets, at most {organ} of one organ, all lymph nodes "
    "being one organ; the largest that can be measured again reliably.",
    "irecist.title": "State of response under immune therapy, iRECIST",
    "irecist.for": "Adults with solid tumours under immune therapy, assessed by RECIST 1.1 against the baseline.",
    "irecist.icr": "complete response",
    "irecist.ipr": "partial response",
    "irecist.isd": "stable disease",
    "irecist.non": "neither complete response nor unconfirmed progression",
    "irecist.iupd": "progression, not confirmed",
    "irecist.iupd.advice": "Assess again after 4 to 8 weeks: progression counts once it is confirmed.",
    "irecist.icpd": "progression, confirmed",
    "irecist.note.further": "Further: targets or new targets larger by 5 mm or more in sum, non-targets "
    "clearly larger, more new lesions, or progression of another kind of lesion than before.",
    "irecist.note.late": "Confirmation is meant 4 to 8 weeks after; later than 8 weeks is accepted here, and "
    "should be justified.",
    "irecist.note.reset": "iSD, iPR or iCR after iUPD puts it back: the next progression is unconfirmed again.",
    "irecist.checked": "All rows are from our knowledge of the publication; a clinician should verify each "
    "against it.",
    "ask.baseline_sul": "SULpeak at baseline",
    "ask.now_sul": "SULpeak now",
    "ask.liver_sul": "mean of the liver at baseline",
    "ask.liver_sd_sul": "standard deviation of the liver at baseline",
    "ask.liver_now_sul": "mean of the liver now",
    "ask.blood_sul": "mean of the blood pool at baseline",
    "ask.blood_sd_sul": "standard deviation of the blood pool at baseline",
    "ask.uptake_minutes": "injection to scan at baseline",
    "ask.uptake_now_minutes": "injection to scan now",
    "ask.tlg_baseline": "total lesion glycolysis at baseline",
    "ask.tlg_now": "total lesion glycolysis now",
    "ask.same_scanner": "same scanner and reconstruction",
    "ask.least_sul": "least SULpeak that can be followed",
    "ask.measurable": "measurable at baseline",
    "ask.liver_change_percent": "change of the liver",
    "ask.liver_change_sul": "change of the liver in SUL",
    "ask.uptake_apart_minutes": "times from injection to scan apart",
    "ask.change_sul": "change against baseline in SUL",
    "ask.tlg_change_percent": "change of total lesion glycolysis",
    "ask.over_liver": "SULpeak now less the mean of the liver",
    "percist.title": "Metabolic response on FDG PET, PERCIST 1.0",
    "percist.for": "Adults with FDG-avid tumours, scanned twice in the same way.",
    "percist.not.measurable": "The hottest lesion was too faint at baseline to be followed.",
    "percist.not.liver": "The liver differs too much between the two scans, so they cannot be compared.",
    "percist.not.uptake": "The times from injection to scan differ by more than 15 minutes.",
    "percist.not.scanner": "The scans were not made on the same scanner with the same reconstruction.",
    "percist.cmr": "complete metabolic response",
    "percist.pmr": "partial metabolic response",
    "percist.smd": "stable metabolic disease",
    "percist.pmd": "progressive metabolic disease",
    "percist.tells": "SULpeak {baseline_sul} at baseline, {now_sul} now: {change_percent}; new lesions: "
    "{new_lesions}.",
    "percist.note.peak": "SULpeak: the mean in a sphere of 1 cm³, by lean body mass, of the hottest lesion "
    "at each time; it need not be the same lesion.",
    "percist.note.measurable": "Least SULpeak at baseline: {liver} × mean of the liver + {deviations} "
    "standard deviations; with a diseased liver {blood} × mean of the blood pool + {deviations} standard "
    "deviations.",
    "percist.note.tlg": "Total lesion glycolysis counts only where SULpeak has not fallen.",
    "percist.note.gone": "Complete: below the liver, and indistinguishable from what lies around it, which a "
    "person says.",
    "percist.checked": "The limits of measurability are from our knowledge of the publication, the others "
    "were seen in PMC4976461 and PMC2938069. A clinician should verify each; sources differ on whether 30 % "
    "itself counts as progression.",
    # guidelines: extent of pneumonia
    "ask.lobe_score": "diseased share of the lobe",
    "ask.right_upper_percent": "right upper lobe",
    "ask.right_middle_percent": "right middle lobe",
    "ask.right_lower_percent": "right lower lobe",
    "ask.left_upper_percent": "left upper lobe",
    "ask.left_lower_percent": "left lower lobe",
    "ask.zone_score": "score of the zone",
    "ask.right_upper_zone": "right upper zone",
    "ask.right_middle_zone": "right middle zone",
    "ask.right_lower_zone": "right lower zone",
    "ask.left_upper_zone": "left upper zone",
    "ask.left_middle_zone": "left middle zone",
    "ask.left_lower_zone": "left lower zone",
    "ask.extent": "extent",
    "ask.density": "density",
    "ask.right_upper_extent": "right upper quadrant, extent",
    "ask.right_lower_extent": "right lower quadrant, extent",
    "ask.left_upper_extent": "left upper quadrant, extent",
    "ask.left_lower_extent": "left lower quadrant, extent",
    "ask.right_upper_density": "right upper quadrant, density",
    "ask.right_lower_density": "right lower quadrant, density",
    "ask.left_upper_density": "left upper quadrant, density",
    "ask.left_lower_density": "left lower quadrant, density",
    "severity.title.25": "Extent of pneumonia on CT, score of 25",
    "severity.title.20": "Extent of pneumonia on CT, score of 20",
    "severity.for": "Adults with pneumonia on a chest CT.",
    "severity.note.extent": "A score of extent, not a diagnosis: it does not say what causes the opacities.",
    "severity.note.gaps": "The publication gives whole percents; a share between two rows gets the higher score.",
    "severity.checked.25": "The rows were seen in a secondary table; a clinician should verify each against "
    "the publication.",
    "severity.checked.20": "All rows are from our knowledge of the publication; a clinician should verify "
    "each against it.",
    "brixia.title": "Extent of pneumonia on a chest radiograph, Brixia score",
    "brixia.for": "Adults with pneumonia on a frontal chest radiograph.",
    "brixia.zone.0": "no abnormality",
    "brixia.zone.1": "interstitial infiltrates",
    "brixia.zone.2": "interstitial and alveolar infiltrates, mostly interstitial",
    "brixia.zone.3": "interstitial and alveolar infiltrates, mostly alveolar",
    "brixia.note.zones": "Three zones a lung: above the aortic arch, from there to the lower pulmonary vein, "
    "below it.",
    "brixia.checked": "All rows are from our knowledge of the publication; a clinician should verify each "
    "against it.",
    "rale.title": "Lung oedema on a chest radiograph, RALE score",
    "rale.for": "Adults with opacities of both lungs on a frontal chest radiograph; made for ARDS.",
    "rale.extent.0": "no opacity",
    "rale.extent.1": "below 25 % of the quadrant",
    "rale.extent.2": "25 to 50 %",
    "rale.extent.3": "50 to 75 %",
    "rale.extent.4": "above 75 %",
    "rale.density.1": "hazy",
    "rale.density.2": "moderate",
    "rale.density.3": "dense",
    "rale.note.product": "Extent times density in each quadrant, summed. A quadrant without opacity needs no "
    "density.",
    "rale.checked": "All rows are from our knowledge of the publication; a clinician should verify each "
    "against it.",
    # guidelines: knee, eye, heart
    "ask.grade": "grade",
    "ask.joint_replaced": "joint replaced",
    "kellgren.title": "Osteoarthritis of the knee, Kellgren-Lawrence",
    "kellgren.for": "Adults, on a frontal radiograph of the knee, best standing.",
    "kellgren.not.child": "It holds for adults: growing joints look different.",
    "kellgren.not.replaced": "It does not hold for a joint that was replaced.",
    "kellgren.0": "no sign of osteoarthritis",
    "kellgren.1": "doubtful: possible small osteophytes, doubtful narrowing of the joint space",
    "kellgren.2": "minimal: definite osteophytes, possible narrowing of the joint space; counts as "
    "radiographic osteoarthritis",
    "kellgren.3": "moderate: several osteophytes, definite narrowing, some sclerosis, possible deformity of "
    "the bone ends; counts as radiographic osteoarthritis",
    "kellgren.4": "severe: large osteophytes, marked narrowing, severe sclerosis, definite deformity of the "
    "bone ends; counts as radiographic osteoarthritis",
    "kellgren.note.graders": "Readers often differ by one grade, most of all between 1 and 2.",
    "kellgren.note.symptoms": "The grade tells how the joint looks, not how much it hurts or how it works.",
    "kellgren.checked": "All rows are from our knowledge of the publication; a clinician should verify each "
    "against it.",
    "ask.retinopathy_grade": "grade",
    "ask.macular_oedema": "macular oedema",
    "ask.diabetes": "diabetes",
    "ask.gradable": "photograph good enough",
    "ask.laser_treated": "eye treated by laser",
    "retinopathy.title": "Diabetic retinopathy, international clinical scale",
    "retinopathy.for": "People with diabetes, one eye, on a photograph of the fundus that is good enough.",
    "retinopathy.not.diabetes": "It holds for people with diabetes.",
    "retinopathy.not.gradable": "The photograph is not good enough to be graded; most programmes refer such eyes.",
    "retinopathy.not.laser": "It does not hold for an eye that was treated by laser.",
    "retinopathy.0": "no apparent retinopathy",
    "retinopathy.1": "mild, not proliferative: microaneurysms only",
    "retinopathy.2": "moderate, not proliferative: more than microaneurysms, less than severe",
    "retinopathy.3": "severe, not proliferative: many haemorrhages in four quadrants, venous beading in two, "
    "or marked intraretinal vessel changes in one",
    "retinopathy.4": "proliferative: new vessels, or bleeding into the vitreous or before the retina",
    "retinopathy.refer": "Refer to an ophthalmologist (grade 2 or more).",
    "retinopathy.refer.oedema": "Refer to an ophthalmologist (macular oedema).",
    "retinopathy.no_refer": "No referral for the retinopathy; screen again as the local programme says.",
    "retinopathy.note.programmes": "Referral from grade 2 is usual in studies; some programmes refer otherwise.",
    "retinopathy.note.eye": "The worse eye decides for the patient.",
    "retinopathy.checked": "The names of the grades are from our knowledge of the publication; a clinician "
    "should verify them, and the referral against the local programme.",
    "ask.agatston": "Agatston score",
    "ask.gated": "gated to the heart",
    "ask.contrast": "contrast medium",
    "ask.stent_or_bypass": "stent or bypass",
    "ask.tube_kv": "tube voltage",
    "calcium.title": "Coronary calcium, categories of the Agatston score",
    "calcium.for": "Adults without known coronary disease, on CT gated to the heart, without contrast, at 120 kV.",
    "calcium.not.contrast": "The score holds without contrast medium only.",
    "calcium.not.treated": "The score does not hold after a stent or a bypass.",
    "calcium.not.kv": "Its limit of 130 HU holds at 120 kV only.",
    "calcium.not.gated": "The CT was not gated to the heart: the score is an estimate, and its category may "
    "differ.",
    "calcium.0": "no calcium seen",
    "calcium.10": "minimal calcium",
    "calcium.100": "mild calcium",
    "calcium.400": "moderate calcium",
    "calcium.more": "extensive calcium",
    "calcium.note.between": "The categories are given in whole scores; a score between two counts to the "
    "higher one.",
    "calcium.note.age": "The same score means more in the young: percentiles by age and sex need tables that "
    "we may not ship.",
    "calcium.checked": "The limits were seen in secondary sources; a clinician should verify them, and their "
    "names.",
    "cac_drs.title": "Coronary calcium, CAC-DRS",
    "cac_drs.0": "very low risk",
    "cac_drs.1": "mildly raised risk",
    "cac_drs.2": "moderately raised risk",
    "cac_drs.3": "moderately to severely raised risk",
    "cac_drs.note.vessels": "CAC-DRS adds the number of vessels with calcium (N), which a person adds here.",
    "cac_drs.checked": "All rows are from our knowledge of the publication; a clinician should verify each "
    "against it.",
    "ask.ef_percent": "ejection fraction",
    "ef.esc.title": "Ejection fraction, classes of heart failure, ESC 2021",
    "ef.esc.for": "Adults with symptoms or signs of heart failure.",
    "ef.reduced": "reduced; heart failure with it is HFrEF",
    "ef.mild": "mildly reduced; heart failure with it is HFmrEF",
    "ef.preserved": "preserved; heart failure with it may be HFpEF",
    "ef.note.failure": "The class names a kind of heart failure that is there; it does not say that it is "
    "there. HFpEF asks for further signs.",
    "ef.note.rounded": "Whole percents: 40.4 counts as 40, 40.5 as 41.",
    "ef.esc.checked": "All rows are from our knowledge of the publication; a clinician should verify each "
    "against it.",
    "ef.ase.title": "Ejection fraction by sex, ASE and EACVI 2015",
    "ef.ase.for": "Adults. The limits are those of echocardiography in two planes.",
    "ef.ase.above": "above the normal range",
    "ef.ase.normal": "within the normal range",
    "ef.ase.mild": "mildly reduced",
    "ef.ase.moderate": "moderately reduced",
    "ef.ase.severe": "severely reduced",
    "ef.note.method": "Normal values of CT and MR are somewhat higher; use those of your method where you "
    "have them.",
    "ask.lv_volume_index": "volume of the left ventricle in diastole, by body surface",
    "ask.lv_mass_index": "mass of the left ventricle, by body surface",
    "ask.wall_mm": "thickest wall in diastole",
    "ask.rv_volume_index": "volume of the right ventricle in diastole, by body surface",
    "ask.rv_ef_percent": "ejection fraction of the right ventricle",
    "ask.focal_motion": "only some segments move badly",
    "acdc.title": "Group of the heart, ACDC challenge",
    "acdc.for": "Adults on cine MR of both ventricles, in research.",
    "acdc.nor": "as the normal hearts of that data set",
    "acdc.minf": "as hearts after an infarction",
    "acdc.dcm": "as dilated cardiomyopathy",
    "acdc.hcm": "as hypertrophic cardiomyopathy",
    "acdc.rv": "as an abnormal right ventricle",
    "acdc.none": "fits no group",
    "acdc.note.groups": "The groups of a data set, no diagnosis: its patients were chosen so that one group "
    "fits each.",
    "acdc.note.sex": "The publication gives lower limits of volume for women; ours are those for men.",
    "acdc.checked": "All rows are from our knowledge of the publication; a clinician should verify each "
    "against it.",
    "ef.ase.checked": "The normal ranges and all rows are from our knowledge of the publication; a clinician "
    "should verify each against it.",
    # tumour burden and response
    "burden.lesion": "{name}: {measured}.",
    "burden.new": "{statement} New: no earlier study shows it.",
    "burden.before": "{statement} {when}: {measured}.",
    "burden.gone": "{name}: not outlined any more. {when}: {measured}.",
    "burden.left": "{statement} Now at its place: {measured}.",
    "burden.days": "{days} days before",
    "burden.earlier": "Earlier",
    "burden.volume": "Metabolic tumour volume (as outlined)",
    "burden.on_pet": "{name}, on the PET",
    "burden.hottest": "Highest {name}",
    "burden.count": "Lesions",
    "burden.sum": "Sum of target diameters ({names})",
    "burden.total": "Tumour burden",
    "burden.total.one": "{name}: one lesion; {measured}.",
    "burden.total.several": "{name}: {count} lesions; {measured}.",
    "burden.total.none": "{name}: no lesion is outlined.",
    "burden.mean": "Mean uptake",
    "burden.deviation": "Standard deviation of uptake",
    "burden.reference": "{name}: mean {mean}, standard deviation {spread}; a healthy reference, no lesion.",
    "response.pet_alone": "Sizes are measured on CT or MR, and the lesions were outlined on the PET alone.",
    "response.targets": "targets {names}",
    "response.none": "none",
    "priority.progression": "It got worse: {said}.",
    "priority.new": "New lesions: {names}.",
    "priority.burden": "No progression by the rules that could be used.",
    "priority.no_earlier": "No earlier study was given, so nothing is said of a change.",
    "burden.no_uptake": "The study holds no PET in SUV, so no uptake is measured; send the DICOM series with "
    "weight, dose and times in its header.",
    "response.no_sul": "The first study shows no lesion whose SULpeak is known: it takes a PET in SUV, and sex, "
    "weight and height.",
    "response.no_liver": "The uptake of the healthy liver is not known: outline a part of it under the name "
    "liver, or give liver_sul and liver_sd_sul.",
    # a patient's own risk
    "risk.title": "Personal risk: {title}",
    "risk.kicker": "Personal risk",
    "risk.declined.missing": "The fact '{fact}' is not known, and all {patients} patients that the model learnt "
    "from had it.",
    "risk.declined.missing.remedy": "Give it as {fact}=VALUE, or use a model that does without it.",
    "risk.declined.unlike": "The fact '{fact}' lies outside what the model learnt from: {range} in {patients} "
    "patients.",
    "risk.declined.unlike.remedy": "Check the value; if it is right, this model may not speak of this patient.",
    "risk.declined.unlike_picture": "The picture is unlike all those that the model learnt from.",
    "risk.declined.picture": "The model needs a picture here, and none was given.",
    "risk.declined.picture.remedy": "Give the picture with --image, or image=FILE for an earlier study.",
    "risk.caution.few": "The model learnt from only {patients} patients, {events} of them with the event: its "
    "figures move by much with other patients and prove no skill.",
    "risk.caution.no_picture": "No picture was given: the risk is foretold from facts alone.",
    "risk.caution.missing": "Not known, and taken as usual: {names}.",
    "risk.caution.unusual": "This patient is less like the training patients than they are like each other: "
    "mind the risk all the more.",
    "risk.caution.no_similar": "The model keeps too few numbers of its training patients to show similar ones.",
    "risk.known": "What is known of this patient",
    "risk.not_known": "not known",
    "risk.part.facts": "facts alone",
    "risk.part.image": "picture alone",
    "risk.part.both": "facts and picture",
    "risk.image": "picture",
    "risk.by": "{event} within {horizon} {unit}",
    "risk.of": "{event}",
    "risk.between": "{low} to {high}",
    "risk.without_interval": "no interval",
    "risk.lead": "Foretold from {part}. Of {patients} patients that the model learnt from, {events} had the "
    "event. The interval says how far the answer would move with other patients to learn from.",
    "risk.place": "Higher than the risk of {share} of the training patients, each foretold without them.",
    "risk.parts": "Each part by itself",
    "risk.parts.lead": "What facts alone and the picture alone say of this patient, and how well each part did "
    "on patients left out ({how}).",
    "risk.part": "Part",
    "risk.chance": " (0.5 is chance)",
    "risk.index": "C-index",
    "risk.auc": "AUC",
    "risk.curve": "Risk over time",
    "risk.curve.lead": "The line is what is foretold, the band its 95 % interval.",
    "risk.similar": "Patients like this one",
    "risk.similar.facts": "The {patients} of {of} training patients nearest by facts: {events} had the event. "
    "What became of them, beside all training patients:",
    "risk.similar.both": "The {patients} of {of} training patients nearest by facts and picture: {events} had "
    "the event. What became of them, beside all training patients:",
    "risk.similar.patients": "Similar patients ({patients})",
    "risk.everybody": "All training patients ({patients})",
    "risk.this": "This patient, foretold",
    "risk.fact": "Fact",
    "risk.value": "This patient",
    "risk.learnt": "Training patients",
    "risk.usual": "Similar patients, usual",
    "risk.moved": "What moves this risk",
    "risk.moved.hazard": "Each factor multiplies the hazard of a patient who is average in it: above 1 it "
    "raises the risk. The factors together give the whole.",
    "risk.moved.odds": "Each factor multiplies the odds of a patient who is average in it: above 1 it raises "
    "the risk. The factors together give the whole.",
    "risk.moved.risk": "Percentage points that each adds to the mean risk of training patients, shared out by "
    "Shapley's value.",
    "risk.moved.mind": "What moves a risk is no cause: nothing here says what a change of it would do.",
    "risk.change": "Since earlier studies",
    "risk.change.when": "Days before",
    "risk.change.then": "Risk then",
    "risk.change.less": "Now less then, percentage points",
    "risk.change.part": "Foretold from",
    "risk.change.lead": "{event} within {horizon} {unit} of each study, foretold with the same model. An "
    "interval that holds 0 shows no change.",
    "risk.change.lead.untimed": "{event}, foretold at each study with the same model. An interval that holds 0 "
    "shows no change.",
    "risk.mind": "Mind when reading",
    "risk.model.lead": "{name} {version} ({kind}), learnt from {data}: {patients} patients, {events} with the "
    "event.",
    "risk.not_for": "Not for",
    "risk.points": "{value} points",
    # lung nodules
    "nodule.mean": "Mean diameter",
    "nodule.found": "{name}: {measured}.",
    "nodule.new": "{statement} New: no earlier study shows it.",
    "nodule.before": "{statement} {when}: {measured}.",
    "nodule.growth": "{statement} {name}: {days} days.",
    "nodule.gone": "{name}: not outlined any more. {when}: {measured}.",
    "ground.request": "the request",
    "caution.nodule_slices": "The slices lie {apart} mm apart; nodules are measured on slices of at most {most} "
    "mm.",
    "caution.nodule_slices.remedy": "Use the thin reconstruction where there is one.",
    "priority.category": "A guideline asks for an early look: {said}.",
    "priority.nodule": "The largest nodule measures {size} mm in the mean.",
    "priority.nodule.small": "Every nodule is smaller than 8 mm in the mean, and no guideline asks for an early "
    "look.",
    "priority.nodule.none": "No nodule is outlined.",
    # contours for radiotherapy
    "contours.structure": "{name}: {measured}.",
    "contours.gaps": "Slices without outline between the first and the last",
    "contours.gap": "{number} slices between its first and its last have no outline (the first: slice {first}).",
    "contours.specks": "{number} pieces hold less than a hundredth of it each.",
    "contours.edge": "It reaches the edge of the picture.",
    "priority.contours": "{odd} of {count} structures have slices without outline in between.",
    # priority and conclusions of the starters
    "priority.pneumonia": "Pneumonia is called present.",
    "priority.no_pneumonia": "Pneumonia is not called present; a miss is possible.",
    "priority.refer": "The worst grade is {grade}: an ophthalmologist should see the patient.",
    "priority.no_refer": "No eye has a grade that is referred.",
    "hippocampus.whole": "Hippocampus, whole",
    "hippocampus.asymmetry": "Left against right: {value} of their mean (above 0: the left one is larger).",
    "hippocampus.percentile": "Percentile of the hippocampal volume",
    "hippocampus.no_norms": "No norm set comes with Osler. A percentile holds only for volumes that were "
    "outlined in the same way and adjusted for head size, and for ages that the norm set holds.",
}


@dataclass(frozen=True, slots=True)
class Language:
    """One language of reports.

    name       as its speakers call it
    sentences  key -> sentence; what it lacks is said in English
    phrases    English sentence or name -> its own, for what is put into words where the table is out of reach:
               quality checks, the cards of shipped models, guidelines; blanks as in sentences
    """

    name: str
    sentences: Mapping[str, str]
    phrases: Mapping[str, str]


LANGUAGES: Registry[Language] = Registry(
    "language of reports",
    en=Language("English", SENTENCES, {}),
    zh=Language("中文", CHINESE, CHINESE_PHRASES),
)
# Keys of what names a thing: `english` tells these from a name with its blanks filled.
_NAMES = ("lesion.", "measure.", "why.or_worse")
_CURRENT: ContextVar[str] = ContextVar("language", default="en")


def current() -> str:
    """The language that `say` speaks now: "en", "zh"."""
    return _CURRENT.get()


@contextmanager
def language(name: str) -> Iterator[None]:
    """Within this, `say` speaks the language of that name. Raises UnknownChoice, naming those there are.

    >>> with language("zh"):
    ...     say("page.findings")
    '影像所见'
    """
    LANGUAGES[name]
    before = _CURRENT.set(name)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def in_its_language(
    write: Callable[Concatenate[Report, Given], Made],
) -> Callable[Concatenate[Report, Given], Made]:
    """A writer that speaks the language its report was made in, whatever is spoken around it."""

    @wraps(write)
    def written(report: Report, /, *given: Given.args, **named: Given.kwargs) -> Made:
        with language(report.language):
            return write(report, *given, **named)

    return written


def say(key: str, **values: object) -> str:
    """The sentence named `key` with its blanks filled, in the current language.

    >>> say("statement.segmentation.absent", name="Tumour")
    'Tumour: not seen.'
    """
    sentences = LANGUAGES[current()].sentences
    return (sentences[key] if key in sentences else SENTENCES[key]).format(**values)


def phrase(text: str) -> str:
    """An English sentence or name in the current language; as it is where that has no words for it.

    >>> with language("zh"):
    ...     phrase("Pneumonia"), phrase("The picture has 12 by 900 pixels: too few to show anything.")
    ('肺炎', '图像仅有 12 × 900 像素，不足以显示任何结构。')
    """
    phrases = LANGUAGES[current()].phrases
    if text in phrases:
        return phrases[text]
    for pattern, said in _patterns(current()):
        if found := pattern.fullmatch(text):
            return said.format(**{blank: phrase(held) for blank, held in found.groupdict().items()})
    return text


def english(text: str) -> str:
    """The English of a name that `say` or `phrase` gave in the current language; `text` where it is not theirs.

    For what must be the same in every language, as a code made of a name, and where no font can draw the language.

    >>> with language("zh"):
    ...     english(phrase("Pneumonia")), english(say("measure.pieces"))
    ('Pneumonia', 'Separate pieces')
    """
    if LANGUAGES[current()].sentences is SENTENCES:
        return text
    names, patterns = _english(current())
    if text in names:
        return names[text]
    for pattern, plain in patterns:
        if found := pattern.fullmatch(text):
            return plain.format(**{blank: english(held) for blank, held in found.groupdict().items()})
    return text


@cache
def _english(name: str) -> tuple[Mapping[str, str], Patterns]:
    """Name in a language -> in English, of two called alike the first of the table; and names with blanks."""
    spoken = LANGUAGES[name]
    said = {own: key for key, own in reversed(list(spoken.phrases.items())) if "{" not in own}
    pairs = [(own, SENTENCES[key]) for key, own in spoken.sentences.items() if key in SENTENCES]
    said |= {own: text for own, text in reversed(pairs) if "{" not in own}
    named = {spoken.sentences.get(key, ""): SENTENCES[key] for key in SENTENCES if key.startswith(_NAMES)}
    return said, _with_blanks(named)


def joined(*sentences: str) -> str:
    """Sentences one after the other, as the current language sets them."""
    return say("join.sentences").join(one for one in sentences if one)


def listed(names: Iterable[str]) -> str:
    """Names in a row: "a, b, c"."""
    return say("join.names").join(names)


@cache
def _patterns(name: str) -> Patterns:
    """Of the phrases with blanks: what they match, longest first, so that the nearest fits."""
    return _with_blanks(LANGUAGES[name].phrases)


def _with_blanks(said: Mapping[str, str]) -> Patterns:
    made = []
    for one, other in sorted(said.items(), key=lambda row: -len(row[0])):
        if "{" in one:
            parts = re.split(r"\{(\w+)\}", one)
            held = "".join(_held(part) if n % 2 else re.escape(part) for n, part in enumerate(parts))
            made.append((re.compile(held, re.DOTALL), other))
    return tuple(made)


def _held(blank: str) -> str:
    """What a blank may hold: a name as much as it can, for names hold commas too; a number or a word little."""
    return f"(?P<{blank}>.+{'' if blank == 'name' else '?'})"
