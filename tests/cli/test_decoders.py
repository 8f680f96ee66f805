def test_decoders_lists_what_is_there_and_the_options_of_one(alignkit):
    ran = alignkit("decoders")
    assert ran.code == 0
    assert {line.split()[0] for line in ran.out.splitlines()} >= {"nearest", "pixel_ridge", "mel_ridge"}
    one = alignkit("decoders", "mel-ridge", "--json").json
    assert one["schema"] == "alignkit.decoder/1"
    assert one["options"]["bands"] == 64
    assert one["learns_from"] == "--bank"
    assert "bands = 64" in alignkit("decoders", "mel_ridge").out
    assert one["card"]["gives"] == "audio"
    alignkit("decoders", "mel").refused("no decoder named 'mel'", "mel_ridge")


def test_the_card_of_a_decoder_says_what_it_reads_without_weights(alignkit):
    ran = alignkit("decoders", "audioldm")
    assert ran.code == 0, ran.err
    for words in (
        "clap/audioldm, or the one that --set space=NAME",
        "rows of length 1",
        "the empty text",
        "16000",
        "steps          200",
        "guidance       2.5",
        "CC BY-NC-SA 4.0",
        "cvssp/audioldm-s-full-v2",
    ):
        assert words in ran.out, (words, ran.out)
    assert "rows as long as the model gives them" not in ran.out
    other = alignkit("decoders", "stable_unclip", "--json").json["card"]
    assert (other["reads"], other["steps"], other["guidance"]) == ("raw", 20, 10.0)
    assert "clip/ViT-H-14/laion2b_s32b_b79k (1024)" in other["space"]
    bare = alignkit("decoders", "nearest").out
    assert "that of --bank" in bare
    assert "steps          none" in bare
