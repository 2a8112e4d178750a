"""The audit: is every acknowledged record where it belongs, once?"""
