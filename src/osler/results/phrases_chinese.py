"""What is put into English words out of reach of the table of sentences, in Chinese: names of structures, findings
and grades as models and pathways call them, quality checks, and the cards of the models that come with Osler.

A key may have blanks: "{columns} by {rows} pixels" stands for any numbers there. What is held in a blank is looked
up too, so that a name in a sentence is Chinese as well.
"""

TERMS: dict[str, str] = {
    # answers that many models give
    "Normal": "正常",
    "No finding": "未见异常",
    "Healthy": "正常",
    "Benign": "良性",
    "Malignant": "恶性",
    "Normal, benign": "正常或良性",
    "Background": "背景",
    "present": "存在",
    "not present": "不存在",
    "yes": "是",
    "no": "否",
    "unknown": "不详",
    "none": "无",
    "pixels": "像素",
    # findings on chest radiographs
    "Pneumonia": "肺炎",
    "Atelectasis": "肺不张",
    "Cardiomegaly": "心脏增大",
    "Consolidation": "肺实变",
    "Edema": "肺水肿",
    "Effusion": "胸腔积液",
    "Pleural effusion": "胸腔积液",
    "Emphysema": "肺气肿",
    "Fibrosis": "肺纤维化",
    "Hernia": "膈疝",
    "Infiltration": "肺浸润影",
    "Mass": "肿块",
    "Nodule": "结节",
    "Lung nodule": "肺结节",
    "Pneumothorax": "气胸",
    "Pleural thickening": "胸膜增厚",
    "Tuberculosis": "肺结核",
    "COVID-19": "新型冠状病毒感染（COVID-19）",
    # the eye
    "Diabetic retinopathy": "糖尿病视网膜病变",
    "Diabetic retinopathy grade": "糖尿病视网膜病变分级",
    "0, no apparent retinopathy": "0 级，无明显视网膜病变",
    "1, mild non-proliferative": "1 级，轻度非增殖期",
    "2, moderate non-proliferative": "2 级，中度非增殖期",
    "3, severe non-proliferative": "3 级，重度非增殖期",
    "4, proliferative": "4 级，增殖期",
    "AMD": "年龄相关性黄斑变性",
    "Glaucoma": "青光眼",
    "Optic disc": "视盘",
    "Optic cup": "视杯",
    "Drusen": "玻璃膜疣",
    # the knee
    "Knee osteoarthritis": "膝骨关节炎",
    "Kellgren-Lawrence grade": "Kellgren-Lawrence 分级",
    "0, none": "0 级，无骨关节炎",
    "1, doubtful": "1 级，可疑",
    "2, minimal": "2 级，轻度",
    "3, moderate": "3 级，中度",
    "4, severe": "4 级，重度",
    # structures that are outlined
    "Hippocampus": "海马",
    "Hippocampus, anterior": "海马前部",
    "Hippocampus, posterior": "海马后部",
    "Anterior": "前部",
    "Posterior": "后部",
    "Organ": "器官",
    "Lesion": "病灶",
    "Tumour": "肿瘤",
    "Tumor": "肿瘤",
    "Cancer": "癌",
    "Metastasis": "转移灶",
    "Lymph node": "淋巴结",
    "Liver": "肝",
    "Spleen": "脾",
    "Kidney": "肾",
    "Kidneys": "双肾",
    "Left kidney": "左肾",
    "Right kidney": "右肾",
    "Pancreas": "胰腺",
    "Gallbladder": "胆囊",
    "Stomach": "胃",
    "Colon": "结肠",
    "Bladder": "膀胱",
    "Prostate": "前列腺",
    "Heart": "心脏",
    "Lung": "肺",
    "Lungs": "双肺",
    "Left lung": "左肺",
    "Right lung": "右肺",
    "Left atrium": "左心房",
    "Left ventricle": "左心室",
    "Right ventricle": "右心室",
    "Myocardium": "心肌",
    "Brain": "脑",
    "Oedema": "水肿",
    "Bone": "骨",
    "Vessel": "血管",
    "Hepatic vessel": "肝血管",
    # places in the body
    "lymph node": "淋巴结",
    "liver": "肝",
    "lung": "肺",
    "bone": "骨",
    "brain": "脑",
    "adrenal": "肾上腺",
    "kidney": "肾",
    "spleen": "脾",
    "pancreas": "胰腺",
    "soft tissue": "软组织",
    "pleura": "胸膜",
    "peritoneum": "腹膜",
    # what a picture shows, as files and cards call it
    "modality": "成像方式",
    "body part": "检查部位",
    "view": "投照体位",
    "rows": "行数",
    "columns": "列数",
    "slices": "层数",
    "rows by columns": "行列之比",
    "bits": "位深",
    "mm between pixels": "像素间距（mm）",
    "mm between voxels": "体素间距（mm）",
    "mm between slices": "层间距（mm）",
    "mm along the shortest side": "最短边长（mm）",
    "mm along the longest side": "最长边长（mm）",
    "a volume": "体数据",
    "volumes": "体数据",
    "a flat image": "二维图像",
    "flat images": "二维图像",
    # titles of clinical uses
    "Pneumonia on a chest radiograph": "胸部 X 线片肺炎",
    "Diabetic retinopathy on a fundus photograph": "眼底照片糖尿病视网膜病变",
    "Hippocampus on MR": "MR 海马",
    # how models are tested
    "auc": "AUC",
    "accuracy": "准确率",
    "balanced_accuracy": "均衡准确率",
    "sensitivity": "灵敏度",
    "specificity": "特异度",
    "pr_auc": "PR 曲线下面积",
    "brier": "Brier 评分",
    "ece": "期望校准误差",
    "f1": "F1 值",
    "mae": "平均绝对误差",
    "qwk": "二次加权 κ",
    "within_one": "相差不超过一级的比例",
    "dice": "Dice 系数",
    "hd95_mm": "95% Hausdorff 距离（mm）",
    "nsd": "归一化表面 Dice",
    "volume_error_ml": "体积误差（ml）",
    "test": "测试集",
    "val": "验证集",
    "train": "训练集",
}

QUALITY: dict[str, str] = {
    "The picture has {columns} by {rows} pixels: too few to show anything.": (
        "图像仅有 {columns} × {rows} 像素，不足以显示任何结构。"
    ),
    "Send the original, not a thumbnail.": "请发送原始图像，而非缩略图。",
    "The picture has only {columns} by {rows} pixels; fine detail is missing.": (
        "图像仅有 {columns} × {rows} 像素，缺乏细节。"
    ),
    "Send the original where there is one.": "如有原始图像，请发送原始图像。",
    "The picture has {columns} by {rows} pixels: a strip, not a picture of an organ.": (
        "图像为 {columns} × {rows} 像素：是一条窄带，而非器官的图像。"
    ),
    "Check that the right file was sent.": "请核实发送的文件无误。",
    "The series has {number} slice: too few for a reading in three dimensions.": (
        "该序列只有 {number} 层，不足以进行三维阅读。"
    ),
    "The series has {number} slices: too few for a reading in three dimensions.": (
        "该序列只有 {number} 层，不足以进行三维阅读。"
    ),
    "Send the whole series.": "请发送整个序列。",
    "Slices lie {between} mm apart, pixels {inside} mm; measurements across slices are rough.": (
        "层间距 {between} mm，像素间距 {inside} mm；跨层测量较为粗略。"
    ),
    "Use the series with the thinnest slices.": "请使用层厚最薄的序列。",
    "The file does not say how large a pixel is; sizes are given in pixels.": (
        "文件未说明像素大小；尺寸以像素表示。"
    ),
    "Send the DICOM original for sizes in millimetres.": "如需以毫米表示的尺寸，请发送 DICOM 原件。",
    "The file says that neighbours lie {said} mm apart, which no scanner makes; sizes may be wrong.": (
        "文件标明的间距为 {said} mm，没有设备能产生这样的间距；尺寸可能有误。"
    ),
    "Check the spacing in the header.": "请核对文件头中的间距。",
    "The picture holds NaN or infinite values.": "图像含有 NaN 或无穷大的数值。",
    "Repair the picture, or export it again.": "请修复图像，或重新导出。",
    "The picture is blank: nearly all of it has one value.": "图像为空白：几乎全部为同一数值。",
    "Check that the right file was sent and that the exposure succeeded.": "请核实发送的文件无误，且曝光成功。",
    "The picture has three grey values or fewer: it is a mask or a drawing, not a picture of a patient.": (
        "图像的灰度值不超过三种：它是掩膜或图画，而非患者的图像。"
    ),
    "Send the picture that the mask was drawn on.": "请发送勾画掩膜所依据的图像。",
    "{share} of the picture is at the brightest value: what lies there cannot be judged.": (
        "图像有 {share} 达到最亮值：该处内容无法判断。"
    ),
    "Take the picture again with less exposure, or export it with a wider window.": (
        "请降低曝光量重新拍摄，或以更宽的窗宽导出。"
    ),
    "{share} of the picture is at the brightest value: detail there is lost.": (
        "图像有 {share} 达到最亮值：该处细节丢失。"
    ),
    "Mind the bright parts when you compare; export it with a wider window if you can.": (
        "比较时请注意过亮部位；如有可能，请以更宽的窗宽导出。"
    ),
}

CARDS: dict[str, str] = {
    "decisions without a qualified person": "没有有资质的人员参与的决定",
    "Calibrated on {cases} cases of {patients} patients of {data} ({split}).": (
        "在 {data}（{split}）的 {patients} 例患者的 {cases} 个病例上校准。"
    ),
    # chest-pneumonia
    "Pneumonia on chest radiographs of children": "儿童胸部 X 线片肺炎",
    "a frontal radiograph of the chest": "胸部正位 X 线片",
    "adults: it learnt from children of 1 to 5 years of one hospital": (
        "成人：该模型只学习了一家医院 1～5 岁儿童的图像"
    ),
    "lateral views, portable films of intensive care, films with devices": (
        "侧位片、重症监护床旁片、带有体内器械的片子"
    ),
    "telling bacteria from viruses, tuberculosis, COVID-19, or any finding but pneumonia": (
        "区分细菌与病毒、肺结核、新型冠状病毒感染（COVID-19），或肺炎以外的任何所见"
    ),
    "Some patients of its training set seem to be in its test set too (the source numbers them so): the figures "
    "may be too good.": ("其训练集的部分患者似乎也在测试集中（按来源的编号）：测试数字可能偏高。"),
    "Learnt from pictures of 224 px already compressed as JPEG; a radiograph straight from the device looks "
    "different.": ("学习所用为已压缩成 JPEG 的 224 像素图像；直接来自设备的 X 线片外观不同。"),
    "weights Apache-2.0; training pictures CC BY 4.0 (Kermany et al. 2018)": (
        "权重 Apache-2.0；训练图像 CC BY 4.0（Kermany 等，2018）"
    ),
    # retinopathy-grade
    "Grade of diabetic retinopathy on fundus photographs of 28 px": "28 像素眼底照片糖尿病视网膜病变分级",
    "a colour photograph of the back of the eye, whole and centred": "完整且居中的眼底彩色照片",
    "screening: it sees the photograph at 28 by 28 pixels, where small lesions are gone": (
        "筛查：该模型只看 28 × 28 像素的照片，小病灶已不可见"
    ),
    "other diseases of the eye": "其他眼病",
    "A demonstration of graded answers: its agreement with the reference grades is far below what screening "
    "needs.": ("仅为分级结果的演示：其与参考分级的一致性远低于筛查的要求。"),
    "weights Apache-2.0; training pictures CC BY 4.0 (Yang et al. 2023; DeepDRiD)": (
        "权重 Apache-2.0；训练图像 CC BY 4.0（Yang 等，2023；DeepDRiD）"
    ),
    # hippocampus
    "Hippocampus, anterior and posterior, on MR": "MR 海马前部与后部",
    "a T1-weighted MR volume cropped to one hippocampus, about 35 x 50 x 35 mm": (
        "裁取至单侧海马的 T1 加权 MR 体数据，约 35 × 50 × 35 mm"
    ),
    "whole heads: it learnt from crops around one hippocampus and does not find it in a brain": (
        "全头颅图像：该模型只学习了单侧海马周围的裁取范围，不能在全脑中找到海马"
    ),
    "judging atrophy: there is no norm set behind it": "判断萎缩：没有正常参考值作为依据",
    "Learnt from adults with and without a psychotic disorder, scanned at one centre.": (
        "学习数据来自一家中心扫描的成人，包括有和没有精神病性障碍者。"
    ),
    "weights CC BY-SA 4.0, as the training pictures (Antonelli et al. 2022)": (
        "权重 CC BY-SA 4.0，与训练图像相同（Antonelli 等，2022）"
    ),
}

GUIDELINES: dict[str, str] = {
    "{version}, table {number} of Osler": "{version}，Osler 第 {number} 表",
    "v2022, thresholds only": "v2022，仅阈值",
    "2018, Agatston part": "2018，Agatston 部分",
    "full model with spiculation (2013)": "含毛刺征的完整模型（2013）",
    "categories in common use": "通用分级",
}

CHINESE_PHRASES: dict[str, str] = TERMS | QUALITY | CARDS | GUIDELINES
