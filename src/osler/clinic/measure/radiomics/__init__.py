"""Image features as the Image Biomarker Standardisation Initiative (IBSI) defines them, one family a file.

Read `features.py` first. Source: A. Zwanenburg et al., The Image Biomarker Standardization Initiative,
Radiology 2020;295:328-338, and its reference manual (arXiv:1612.07003). `code` is IBSI's permanent identifier.
"""
