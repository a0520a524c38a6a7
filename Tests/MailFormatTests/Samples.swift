// Texts to bytes for these tests: `\n` in a sample stands for CRLF.

/// The wire form of a sample.
func wire(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    for byte in text.utf8 {
        if byte == 0x0A { out.append(0x0D) }
        out.append(byte)
    }
    return out
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
