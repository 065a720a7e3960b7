"""Follows trees of JSONL files as they grow, and reads their lines: what a source of transcripts is made of.

No plugin by itself. `ccod_jsonl.tail`, `ccod_jsonl.settings` and `ccod_jsonl.lines` are its public modules.
"""
