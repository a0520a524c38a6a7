// The real mailctl in a tree of its own: exit codes, what init makes, and a supervisor with programs that only wait.

import Kernel
import Testing
@testable import mailctl

/// A temporary tree with a copy of mailctl and stand-ins for the services beside it.
private final class Bench {
    let root: Path
    /// Tests do not make system users: as root everything runs as nobody.
    let user = Identity.isRoot ? SystemUser(named: "nobody") : nil
    /// Differs between test processes, so that they can run side by side.
    let basePort = 20_000 + Int(Identity.processID % 200) * 200

    init() throws {
        root = Path("/tmp/martlet-test-\(try Randomness.uint64())")
        try FolderMaker.makePath(root / "bin")
        let program = Identity.executable.parent / "mailctl"
        #expect(try Bench.tool("/bin/cp", [program.description, (root / "bin/mailctl").description]) == 0)
        let script = "#!/bin/sh\necho \"$4 $LISTEN_FDS $LISTEN_FDNAMES\" >> \"${0%/*}/../started\"\ntrap 'exit 0' TERM\nwhile :; do sleep 0.02; done\n"
        let bin = try DirectoryDescriptor(opening: root / "bin")
        for name in ["smtpd", "queued", "locald", "remoted", "pop3d", "imapd"] {
            try bin.replace(Path(name), with: Array(script.utf8), mode: 0o755)
        }
        let folder = try DirectoryDescriptor(opening: root)
        if let user { try folder.setOwner(of: ".", uid: user.uid, gid: user.gid) }
    }

    deinit { _ = try? Bench.tool("/bin/rm", ["-rf", root.description]) }

    static func tool(_ program: String, _ arguments: [String]) throws -> Int32 {
        try Spawn(program: Path(program), arguments: arguments.map { Array($0.utf8) }).run()
    }

    private func command(_ arguments: String, input: String, output: String) -> Spawn {
        let line = "exec \(root)/bin/mailctl \(arguments) < \(input) > \(root)/\(output) 2>&1"
        var spawn = Spawn(program: "/bin/sh", arguments: ["-c", line].map { Array($0.utf8) })
        spawn.environment = ["PATH=/bin:/usr/bin"].map { Array($0.utf8) }
        if let path = Identity.environment("LD_LIBRARY_PATH") { spawn.environment.append(Array("LD_LIBRARY_PATH=\(path)".utf8)) }
        spawn.identity = user
        // The kernel counts the thread that forked as the parent, and threads of a test come and go.
        spawn.diesWithParent = false
        return spawn
    }

    /// Runs `mailctl --root TREE arguments`; its status and what it said.
    func run(_ arguments: String, input: String = "/dev/null") throws -> (status: Int32, output: String) {
        let status = try command("--root \(root)/tree \(arguments)", input: input, output: "output").run()
        return (status, try text("output"))
    }

    func start(_ arguments: String) throws -> Int32 {
        try command("--root \(root)/tree \(arguments)", input: "/dev/null", output: "log").start()
    }

    func text(_ name: Path) throws -> String {
        String(decoding: try DirectoryDescriptor(opening: root).contents(of: name, limit: 1 << 20), as: UTF8.self)
    }

    /// Waits until `isTrue`, for 20 s at most.
    func wait(_ isTrue: () throws -> Bool) throws -> Bool {
        for _ in 0..<400 {
            if try isTrue() { return true }
            pause(milliseconds: 50)
        }
        return false
    }
}

@Suite(.serialized) struct CommandTests {
    @Test func aTreeIsMadeOnceAndThenAdministered() throws {
        let bench = try Bench()
        #expect(try bench.run("status").status == 66)
        let made = try bench.run("init --domain example.org --dev --base-port \(bench.basePort)")
        #expect(made.status == 0, "\(made.output)")
        #expect(made.output.contains("postmaster@example.org"))
        #expect(try bench.run("init --domain example.org --dev").status == 73)
        #expect(try bench.run("config check").status == 0)
        #expect(try bench.run("config get listen.smtp").output == "127.0.0.1:\(bench.basePort + 25)\n[::1]:\(bench.basePort + 25)\n")
        #expect(try bench.run("config get nonsense").status == 64)
        #expect(try bench.run("account add alice@example.org").output.contains("password "))
        #expect(try bench.run("account add alice@example.org").status == 73)
        #expect(try bench.run("account add alice@example.com").status == 65)
        #expect(try bench.run("account remove bob@example.org").status == 66)
        #expect(try bench.run("alias add sales@example.org alice@example.org").status == 0)
        #expect(try bench.run("--json alias list").output.contains(#""targets": ["alice@example.org"]"#))
        #expect(try bench.run("queue list --json").output == "[]\n")
        #expect(try bench.run("stop").status == 69)
        #expect(try bench.run("nonsense").status == 64)
        let error = try bench.run("account show nobody@example.org --json").output
        #expect(error.hasPrefix(#"{"error": "there is no account"#) && error.hasSuffix("\"status\": 66}\n"), "\(error)")
    }

    @Test func aWrongConfigurationIsStatus78() throws {
        let bench = try Bench()
        #expect(try bench.run("init --domain example.org --dev --base-port \(bench.basePort)").status == 0)
        let folder = try DirectoryDescriptor(opening: bench.root / "tree/etc")
        try folder.replace("martlet.toml", with: Array("[limits]\nhops = 1\n".utf8), mode: 0o644)
        for command in ["config check", "run", "reload", "status"] {
            let result = try bench.run(command)
            #expect(result.status == 78)
            #expect(result.output.contains("tree/etc/martlet.toml:2: limits.hops: "), "\(result.output)")
        }
    }

    @Test func theSupervisorStartsObeysAndStops() throws {
        let bench = try Bench()
        #expect(try bench.run("init --domain example.org --dev --base-port \(bench.basePort)").status == 0)
        let pid = try bench.start("run")
        let started = try bench.wait { try bench.run("status --json").output.components(of: #""state": "running""#) == 7 }
        let log = try bench.text("log")
        #expect(started, "\(log)")
        #expect(try bench.wait { try bench.text("started").components(of: "\n") == 7 })
        let inherited = try bench.text("started")
        #expect(inherited.contains("submission 4 submission:submission:submissions:submissions\n"), "\(inherited)")
        #expect(inherited.contains("queued  \n"), "\(inherited)")
        #expect(try bench.run("run").status == 75)
        #expect(try bench.run("stop pop3d").output == "pop3d: stopped\n")
        #expect(try bench.run("restart imapd").status == 0)
        #expect(try bench.run("start pop3d").output == "pop3d: running\n")
        #expect(try bench.run("status --json").output.components(of: #""restarts": 1"#) == 1)
        #expect(try bench.run("stop").status == 0)
        #expect(try bench.wait { Children.reap()?.pid == pid || !Signals.send(0, to: pid) })
        #expect(try bench.run("status --json").output.components(of: #""state": "stopped""#) == 7)
    }

    @Test func aPortInUseIsNamed() throws {
        let bench = try Bench()
        #expect(try bench.run("init --domain example.org --dev --base-port \(bench.basePort)").status == 0)
        let taken = try Listening.bind(address: "127.0.0.1", port: UInt16(bench.basePort + 143))
        let result = try bench.run("run")
        #expect(result.status == 69)
        #expect(result.output.contains("127.0.0.1:\(bench.basePort + 143)") && result.output.contains("listen.imap"), "\(result.output)")
        try taken.close()
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(of part: String) -> Int { split(separator: part, omittingEmptySubsequences: false).count - 1 }
}
