// CRC-32C by its definition, bit by bit: the format's tests need no kernel, and the kernel's tables have something to be compared with.

import SpoolFormat

/// Reflected polynomial 0x82F63B78, as RFC 3720 §12.1 has it.
let plainChecksum = Checksum { bytes, seed in
    var crc = ~seed
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
    return ~crc
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
