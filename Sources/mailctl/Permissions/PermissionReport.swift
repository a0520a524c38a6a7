// What a comparison of the disk with the table found, for people and for scripts.

import Kernel

/// One thing that is not as the table says.
struct PermissionDifference: Hashable, Sendable {
    let path: Path
    /// `mode 0777 instead of 2750`, one or several.
    let what: String
    var isMended: Bool
}

struct PermissionReport: Hashable, Sendable {
    var differences: [PermissionDifference] = []
    /// What cannot be known, a sentence each.
    var unknown: [String] = []
    /// Folders and files that were looked at.
    var count = 0

    var open: [PermissionDifference] { differences.filter { !$0.isMended } }

    /// Nil if the disk is as the table says.
    var status: ExitStatus? { open.isEmpty ? nil : .data }

    var lines: [String] {
        var out = differences.map { "\($0.path): \($0.what)\($0.isMended ? " (mended)" : "")" }
        out += unknown.map { "not known: \($0)" }
        let mended = differences.count - open.count
        out.append(
            "\(count) folders and files: " + (differences.isEmpty ? "all as spool/README.md says"
                : "\(differences.count) not as they should be" + (mended > 0 ? ", \(mended) of them mended" : "")))
        return out
    }

    var json: JSONValue {
        .object([
            "count": .number(count),
            "differences": .array(differences.map {
                .object(["path": .text($0.path.bytes), "what": .text($0.what), "mended": .boolean($0.isMended)])
            }),
            "unknown": .array(unknown.map(JSONValue.text)),
        ])
    }
}
