// One log in a temporary spool, its writer and its followers, and words for what they see.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A spool with one log, `smtpd/mail` unless said otherwise. Records are `accept` lines that carry a token in `reason`.
struct World {
    let tree: TemporarySpool
    let log: LogName

    init(_ log: LogName = LogName(.smtpd, .mail), tree: TemporarySpool = TemporarySpool()) {
        self.tree = tree
        self.log = log
    }

    var folder: String { log.text.display }
    func segment(_ number: UInt32) -> String { "\(folder)/\(SegmentName.name(number).display)" }
    func spool() throws -> DirectoryDescriptor { try DirectoryDescriptor(opening: Path(tree.path)) }

    func writer(reserve: Int64 = 0) throws -> LogWriter {
        try whenUnlocked { try LogWriter(spool: spool(), log, reserve: reserve) }
    }

    func mail() throws -> MailLog { try whenUnlocked { try MailLog(spool: spool(), .smtpd, origin: .smtpd) } }

    func begun() throws -> LogWriter {
        let writer = try writer()
        try writer.begin()
        return writer
    }

    func follower(from position: LogPosition = .start) throws -> LogFollower { try LogFollower(spool: spool(), log, from: position) }

    /// The tokens that a new follower sees.
    func seen() throws -> [String] { try follower().tokens() }

    func header(_ number: UInt32) throws -> (SegmentHeader, length: Int) {
        try #require(SegmentHeader.parse(tree.read(segment(number)).prefix(512), checksum: spoolChecksum))
    }

    /// The segments that are there.
    var numbers: [UInt32] { tree.names(folder).compactMap { SegmentName.number($0.utf8) } }
}

extension LogWriter {
    /// Appends a record with a token, its content if there is one, and no commit.
    @discardableResult
    func add(_ token: String, content: [UInt8]? = nil) -> QueueID? {
        guard let id = newID(.smtpd) else { return nil }
        append(LogWriter.line(token, id, content), content: content.map { [$0] } ?? [])
        return id
    }

    static func line(_ token: String, _ id: QueueID?, _ content: [UInt8]? = nil) -> RecordLine {
        var line = RecordLine(.accept, id).adding(.reason, token)
        if let content { line.add(.content, ContentExtent(length: content.count, checksum: CRC32C.checksum(content)).text) }
        return line
    }

    func commit(_ tokens: String...) throws {
        for token in tokens { add(token) }
        try commit()
    }
}

extension LogFollower {
    func tokens() throws -> [String] {
        var all: [String] = []
        while true {
            let records = try poll()
            if records.isEmpty { return all }
            all += records.compactMap(\.token)
        }
    }
}

extension PlacedRecord {
    /// The token of a test's record; nil for state blocks and the like.
    var token: String? { record.verb == .accept ? record.text(.reason) : nil }
}

extension LogError {
    enum Kind { case locked, noSpace, failed, broken }
    var kind: Kind {
        switch self {
        case .locked: .locked
        case .noSpace: .noSpace
        case .failed: .failed
        case .broken: .broken
        }
    }
}

/// What `body` fails with; nil if it does not.
func logFailure<R>(_ body: () throws -> R) -> LogError.Kind? {
    do { _ = try body() } catch { return (error as? LogError)?.kind }
    return nil
}

/// Tries again while the log is locked: a process that another test starts has our descriptors until it runs its program.
func whenUnlocked<R>(_ body: () throws -> R) throws -> R {
    for _ in 0..<400 {
        do { return try body() } catch let error as LogError where error.kind == .locked { pause(milliseconds: 5) }
    }
    return try body()
}

func script(_ text: String) throws -> FaultScript { try #require(FaultScript(text)) }
