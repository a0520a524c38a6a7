// The event loops of a program, and one mailbox a loop through which other threads bring answers.

internal import NIOCore
internal import NIOPosix
import Synchronization

/// The event loops; one a program, made after confinement and never ended before the process.
package final class LoopGroup: Sendable {
    let group: MultiThreadedEventLoopGroup
    let homes: [LoopHome]

    /// One loop serves thousands of connections; a second one is for a second core.
    package init(loops: Int = 1) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, loops))
        homes = group.makeIterator().map(LoopHome.init)
    }

    func home(of loop: any EventLoop) -> LoopHome? { homes.first { $0.loop === loop } }

    /// Calls `arrived` from a loop: proof that it turns.
    package func passThrough(_ arrived: @escaping @Sendable () -> Void) { group.next().execute(arrived) }

    /// Ends the threads; for tests, which make many groups.
    package func stop() { try? group.syncShutdownGracefully() }
}

/// One loop and its mailbox.
final class LoopHome: Sendable {
    typealias Letter = @Sendable () -> Void

    private struct Box {
        var letters: [Letter] = []
        var isAwake = false
    }

    let loop: any EventLoop
    private let box = Mutex(Box())

    init(_ loop: any EventLoop) { self.loop = loop }

    /// Brings letters to the loop with at most one wake-up, however many threads post before it looks.
    func post(_ letters: [Letter]) {
        guard !letters.isEmpty else { return }
        let mustWake = box.withLock { box in
            box.letters.append(contentsOf: letters)
            defer { box.isAwake = true }
            return !box.isAwake
        }
        if mustWake { loop.execute { self.open() } }
    }

    private func open() {
        let letters = box.withLock { box in
            defer { box.letters = [] ; box.isAwake = false }
            return box.letters
        }
        for letter in letters { letter() }
    }
}
