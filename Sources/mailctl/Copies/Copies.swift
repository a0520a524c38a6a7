// At the start of `mailctl run`, before any service: whether spool and store are those that were here last, and if they
// are a copy, or one is older than the other, what must be done before mail moves. docs/spool.md, "Copies".

import Configuration
import Kernel
import MailModel
import Spool
import SpoolFormat

enum Copies {
    /// What was done about a copy.
    struct Result: Hashable, Sendable {
        let generation: UInt32
        let reasons: CopyReasons
        /// Copies that are delivered again, and those that cannot be.
        let again: Int
        let unknown: Int
        /// Of a copied spool.
        let gap: DropGap?

        var record: RecordLine {
            var line = RecordLine(.recognised).adding(.reason, reasons.text).adding(.generation, "\(generation):\(generation + 1)")
                .adding(.counts, "again:\(again),unknown:\(unknown)")
            line.add(.since, gap?.since.map(Timestamp.text))
            return line
        }
    }

    /// Looks at spool and store and begins a new life. `note` is told what a person should know, `say` what is to be written down.
    ///
    /// Everything is durable before the new generation is written: a start that is killed begins again.
    static func recognise(
        _ paths: Configuration.Paths, note: @escaping (String) -> Void, say: ([RecordLine]) throws(Failure) -> Void
    ) throws(Failure) {
        guard let trees = try attempting({ () throws(KernelError) in try TreeIdentities.find(paths) }) else { return }
        switch trees.recognition {
        case .unnamed, .same:
            // Without space the old life goes on: mail waits for nothing here.
            do throws(KernelError) { try trees.advance() } catch { note("the new life of spool and store was not written: \(error)") }
        case .otherStore: note(otherStore(paths))
        case .copied(let reasons):
            note("\(reasons.text): looking for mail that was delivered and is not here")
            let (result, again) = try adopt(paths, reasons, generation: trees.generation, note: note)
            try say(again + [result.record])
            try attempting { () throws(KernelError) in try trees.advance(renewing: reasons) }
            note(explanation(result))
        }
    }

    /// At an orderly stop: a copy that was made while the services ran is then older than both.
    static func rest(_ paths: Configuration.Paths) {
        do throws(KernelError) {
            guard let trees = try TreeIdentities.find(paths), trees.recognition == .same else { return }
            try trees.advance()
        } catch {
            // The next start finds the life that it knows.
        }
    }

    private static func adopt(
        _ paths: Configuration.Paths, _ reasons: CopyReasons, generation: UInt32, note: @escaping (String) -> Void
    ) throws(Failure) -> (Result, again: [RecordLine]) {
        // Before anything is written there.
        let gap = try attempting { () throws(KernelError) in
            reasons.contains(.spoolCopied) ? try DropGap(in: try DirectoryDescriptor(opening: paths.spool)) : nil
        }
        let check = try StoreCheck(paths, progress: note)
        let missing = check.missing.values.sorted { ($0.id, $0.final.display) < ($1.id, $1.final.display) }
        let again = try attempting { () throws(KernelError) in
            let content = try AcceptedContent(of: Set(missing.map(\.id)), in: try DirectoryDescriptor(opening: paths.spool))
            return try Redelivery(paths).redeliver(missing, content)
        }
        do throws(LogError) { try mend(paths, check) } catch { throw Failure(error) }
        return (Result(generation: generation, reasons: reasons, again: again.count, unknown: missing.count - again.count, gap: gap), again)
    }

    private static func mend(_ paths: Configuration.Paths, _ check: StoreCheck) throws(LogError) {
        let mending: LogMending
        do throws(KernelError) { mending = try LogMending(paths.spool) } catch { throw .failed(error) }
        try mending.mend(cited: check.cited)
    }

    // MARK: In words

    private static func explanation(_ result: Result) -> String {
        var text = "this tree is a copy, or was restored: \(result.reasons.text). It is now generation \(result.generation + 1). "
        text += result.again == 0 ? "Nothing had to be delivered again. " : "\(result.again) messages that the logs have and the store lacks are delivered again. "
        if result.unknown > 0 {
            text += "\(result.unknown) more were delivered and are not in this store, and their content is gone: "
                + "`mailctl audit --store` names each, for you to look for them in the original or a backup. "
        }
        text += result.gap?.text ?? ""
        if result.reasons.concernsStore { text += "IMAP clients will load their mailboxes anew. " }
        return text + "If the original still runs, stop one of the two: each would send the mail that waits in its queue"
    }

    private static func otherStore(_ paths: Configuration.Paths) -> String {
        "\(paths.store) is not the mail store that this spool delivered to. If that is a mistake, stop, and mount the right one; "
            + "if it is meant, stop, remove \(paths.spool)/SPOOL-ID and start again: what the logs still have is then delivered to it"
    }
}
