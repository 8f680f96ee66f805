def test_decoders_lists_what_is_there_and_the_options_of_one(alignkit):
    ran = alignkit("decoders")
    assert ran.code == 0
    assert {line.split()[0] for line in ran.out.splitlines()} >= {"nearest", "pixel_ridge", "mel_ridge"}
    one = alignkit("decoders", "mel-ridge", "--json").json
    assert one["schema"] == "alignkit.decoder/1"
    assert one["options"]["bands"] == 64
    assert one["learns_from"] == "--bank"
    assert "bands = 64" in alignkit("decoders", "mel_ridge").out
    alignkit("decoders", "mel").refused("no decoder named 'mel'", "mel_ridge")
