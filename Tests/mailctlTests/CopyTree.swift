// A spool and a store of its own for each test, with what the programs would have written in them.

import Configuration
import Kernel
import Mailbox
import MailModel
import MailTestKit
import Spool
import SpoolFormat
import Testing

@testable import mailctl

/// The folders of a tree, a named store, and words for what the programs say.
final class CopyTree {
    let files: TemporarySpool
    let paths: Configuration.Paths
    static let bob = EmailAddress(parsing: Array("bob@example.org".utf8))!

    init() throws {
        files = TemporarySpool(["smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd", "mailctl", "supervisor"])
        for folder in ["drop", "mail", "mail/example.org", "mail/example.org/bob"] { files.makeFolder(folder) }
        for folder in ["cur", "new", "tmp", "martlet"] { files.makeFolder("mail/example.org/bob/" + folder) }
        var configuration = Configuration()
        configuration.paths.spool = Path(files.path)
        configuration.paths.store = Path(files.path) / "mail"
        paths = configuration.paths
        _ = try StoreIdentity.create(store: paths.store, context: StoreContext(host: Array("mx".utf8), bootID: []))
    }

    func spool() throws -> DirectoryDescriptor { try DirectoryDescriptor(opening: paths.spool) }

    /// A process that a test has started holds our locks until it begins its program.
    func unlocked<R>(_ body: () throws -> R) throws -> R {
        for _ in 0..<400 {
            do { return try body() } catch LogError.locked { pause(milliseconds: 5) }
        }
        return try body()
    }

    /// Appends facts to a program's events, in a segment of their own.
    func say(_ owner: SpoolOwner, _ facts: RecordLine...) throws {
        try unlocked {
            let writer = try EventWriter(spool: try spool(), owner, echoes: false)
            try writer.log.begin()
            for fact in facts { writer.append(fact, at: .now()) }
            try writer.commit()
        }
    }

    /// smtpd takes a message.
    func accept(_ content: String, from sender: String = "ann@example.net", big: Bool = false) throws -> QueueID {
        try unlocked {
            let mail = try MailLog(spool: try spool(), .smtpd, origin: .smtpd)
            try mail.begin()
            let id = try #require(mail.log.newID(.smtpd))
            let line = RecordLine(.accept, id).adding(.from, sender).adding(.to, CopyTree.bob.wire)
            if big {
                let file = try mail.createBig(id)
                try file.write(Array(content.utf8))
                let bytes = Array(content.utf8)
                _ = mail.append(line, id: id, big: ContentExtent(length: bytes.count, checksum: CRC32C.checksum(bytes)))
            } else {
                _ = mail.append(line, id: id, content: [Array(content.utf8)])
            }
            try mail.commit()
            return id
        }
    }

    func name(_ id: QueueID) -> [UInt8] {
        UniquePart(seconds: 1_763_683_200, message: id, finalAddress: CopyTree.bob, host: Array("mx".utf8)).bytes
    }

    func copy(_ verb: Verb, _ id: QueueID) -> RecordLine {
        RecordLine(verb, id).adding(.recipient, CopyTree.bob.wire).adding(.final, CopyTree.bob.wire).adding(.account, "example.org/bob")
    }

    func delivered(_ id: QueueID) -> RecordLine { copy(.delivered, id).adding(.file, name(id) + Array(",S=5,W=5".utf8)) }

    func put(_ id: QueueID, in folder: String) { files.write(Array("mail".utf8), "mail/example.org/bob/\(folder)/\(name(id).display),S=4:2,S") }

    func find() throws -> Recognition? {
        guard let trees = try TreeIdentities.find(paths) else { return nil }
        return trees.recognition
    }

    func advance() throws {
        guard let trees = try TreeIdentities.find(paths) else {
            Issue.record("no store")
            return
        }
        try trees.advance()
    }

    /// What a start does; the facts that it would write down, and what it tells people.
    ///
    /// A lock of a log that was closed lives on in a child that another test has just made, until that runs its program.
    func recognise() throws -> (facts: [String], notes: [String]) {
        for _ in 0..<400 {
            do { return try recogniseOnce() } catch let failure as Failure where failure.what.hasPrefix("cannot lock") { pause(milliseconds: 5) }
        }
        return try recogniseOnce()
    }

    private func recogniseOnce() throws -> (facts: [String], notes: [String]) {
        var facts: [String] = []
        let notes = Notes()
        try Copies.recognise(paths, note: { notes.lines.append($0) }, say: { facts += $0.map(\.bytes.display) })
        return (facts, notes.lines)
    }

    private final class Notes { var lines: [String] = [] }

    /// The drops that wait.
    var drops: [DropFile] { files.names("drop").filter { $0.hasPrefix("drop-") }.compactMap { DropFile(parsing: files.read("drop/" + $0)) } }

    /// Puts a file in another's place, as `cp` onto nothing does.
    func restore(_ bytes: [UInt8], _ name: String) {
        // Files that are made within one tick of the kernel's clock have one time of birth.
        pause(milliseconds: 20)
        if files.exists(name) { files.delete(name) }
        // Its number may be given again at once.
        files.write([0], name + ".other")
        files.write(bytes, name)
        files.delete(name + ".other")
    }

    static let spoolID = "SPOOL-ID"
    static let storeID = "mail/.stage/STORE-ID"
}
