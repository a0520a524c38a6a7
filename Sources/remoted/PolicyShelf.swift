// MTA-STS policies on disk, a file a domain, so that a restart forgets no policy that somebody may hope we forget (RFC 8461 §10.2).

import Configuration
import Kernel
import MailModel
import MailPolicy
import Synchronization

/// `spool/remoted/policies/`; written by remoted alone.
final class PolicyShelf: Sendable {
    /// Files beyond these drive out others: what is over first.
    private static let mostPolicies = 10_000

    private let folder: Path
    /// One writer at a time.
    private let writing = Mutex(())

    init(_ configuration: Configuration) { folder = configuration.paths.spool / "remoted" / "policies" }

    /// Nil where there is none that can be read.
    func policy(of domain: Domain) -> KeptPolicy? {
        do throws(KernelError) {
            let shelf = try DirectoryDescriptor(opening: folder)
            return KeptPolicy(parsing: try shelf.contents(of: Path(domain.bytes), limit: KeptPolicy.mostOctets))
        } catch { return nil }
    }

    /// Durable once this returns true; without that the policy holds for what waits now, and is fetched again.
    func keep(_ policy: KeptPolicy, of domain: Domain, now: Int64) -> Bool {
        writing.withLock { _ in
            do throws(KernelError) {
                let shelf = try opened()
                try makeRoom(shelf, now: now)
                try shelf.replace(Path(domain.bytes), with: policy.bytes, mode: 0o600)
                return true
            } catch { return false }
        }
    }

    /// The folder, made where an older tree has none.
    private func opened() throws(KernelError) -> DirectoryDescriptor {
        do throws(KernelError) { return try DirectoryDescriptor(opening: folder) } catch {
            guard error.isMissing else { throw error }
            let parent = try DirectoryDescriptor(opening: folder.parent)
            try parent.makeDirectory("policies", mode: 0o700)
            try parent.sync()
            return try DirectoryDescriptor(opening: folder)
        }
    }

    private func makeRoom(_ shelf: borrowing DirectoryDescriptor, now: Int64) throws(KernelError) {
        let entries = try shelf.list()
        guard entries.count >= PolicyShelf.mostPolicies else { return }
        var ages: [(name: Path, fetched: Int64)] = []
        for entry in entries {
            let name = Path(entry.name)
            var kept: KeptPolicy?
            do throws(KernelError) { kept = KeptPolicy(parsing: try shelf.contents(of: name, limit: KeptPolicy.mostOctets)) } catch {}
            ages.append((name, kept.map { $0.isInForce(at: now) ? $0.fetched : 0 } ?? 0))
        }
        for oldest in ages.sorted(by: { $0.fetched < $1.fetched }).prefix(max(1, entries.count / 10)) { try shelf.unlink(oldest.name) }
    }
}
