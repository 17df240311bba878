"""Where in the body a picture was taken, as a code.

Source: DICOM PS3.16 Annex L, Table L-1 (Body Part Examined), whose codes are those of CID 4 (Anatomic Regions).
"""

from osler.core.codes import Code

BODY_SITES = {
    "ABDOMEN": Code("818981001", "SCT", "Abdomen"),
    "BRAIN": Code("12738006", "SCT", "Brain"),
    "BREAST": Code("76752008", "SCT", "Breast"),
    "CHEST": Code("816094009", "SCT", "Chest"),
    "EXTREMITY": Code("66019005", "SCT", "Extremity"),
    "EYE": Code("81745001", "SCT", "Eye"),
    "FOOT": Code("56459004", "SCT", "Foot"),
    "HAND": Code("85562004", "SCT", "Hand"),
    "HEAD": Code("69536005", "SCT", "Head"),
    "HEART": Code("80891009", "SCT", "Heart"),
    "HIP": Code("29836001", "SCT", "Hip"),
    "HIPPOCAMPUS": Code("5366008", "SCT", "Hippocampus"),
    "KIDNEY": Code("64033007", "SCT", "Kidney"),
    "KNEE": Code("72696002", "SCT", "Knee"),
    "LIVER": Code("10200004", "SCT", "Liver"),
    "LUNG": Code("39607008", "SCT", "Lung"),
    "NECK": Code("45048000", "SCT", "Neck"),
    "PELVIS": Code("816092008", "SCT", "Pelvis"),
    "PROSTATE": Code("41216001", "SCT", "Prostate"),
    "RETINA": Code("5665001", "SCT", "Retina"),
    "SKULL": Code("89546000", "SCT", "Skull"),
    "SPINE": Code("421060004", "SCT", "Spine"),
}
