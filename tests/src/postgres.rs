//! A PostgreSQL server in a folder of its own (Debian's `postgresql-15`), and databases in it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// The account's password, which no log and no message may show.
pub const PASSWORD: &str = "the-password-of-the-database";
const USER: &str = "cloakroom";

/// Starts the server, says its process id, and waits: when its standard input closes, however the test run ended, it
/// stops the server and removes the folder.
const KEEPER: &str = r#"
"$1/postgres" -D "$2/data" -c listen_addresses=127.0.0.1 -c port="$3" -c unix_socket_directories="$2" \
    -c fsync=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=32MB >>"$2/log" 2>&1 &
echo $!
read -r keep
[ "$keep" = keep ] || trap 'rm -rf "$2"' EXIT
kill -INT $! 2>/dev/null
wait
"#;

/// A server. It is stopped, and its folder removed, when this is dropped or the test run ends.
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    keeper: Option<Child>,
    pid: u32,
}

impl Server {
    /// The server that all tests of a run share, each with a database of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of one's own, to be stopped in the middle of a story.
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let folder = TempDir::with_prefix("cloakroom-postgres-").expect("a folder").keep();
        let mut server = Self { programs: programs(), folder, port, keeper: None, pid: 0 };
        server.make();
        server.launch();
        server
    }

    fn make(&self) {
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).expect("written");
        if is_root() {
            let owned = Command::new("chown").arg("-R").arg("postgres").arg(&self.folder).status();
            assert!(owned.expect("chown runs").success());
        }
        let mut initdb = as_postgres(&self.programs.join("initdb"));
        initdb.arg("-D").arg(self.folder.join("data")).args(["-U", USER, "--auth=scram-sha-256", "--no-sync"]);
        initdb.args(["-E", "UTF8", "--locale=C.UTF-8"]).arg(format!("--pwfile={}", password.display()));
        let made = initdb.current_dir(&self.folder).output().expect("initdb runs");
        assert!(made.status.success(), "{made:?}");
    }

    /// Starts it, or starts it again after [`Server::stop`].
    pub fn launch(&mut self) {
        let mut keeper = as_postgres(Path::new("/bin/sh"));
        keeper.args(["-c", KEEPER, "keeper"]).arg(&self.programs).arg(&self.folder).arg(self.port.to_string());
        let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell starts");
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().expect("a pipe")).read_line(&mut line).expect("a process id");
        self.pid = line.trim().parse().expect("a process id");
        self.keeper = Some(keeper);
        for _ in 0..400 {
            if self.try_psql("postgres", "SELECT 1").is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("PostgreSQL does not answer:\n{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    /// Stops it, cutting every connection; its data stay.
    pub fn stop(&mut self) {
        use std::io::Write as _;
        let mut keeper = self.keeper.take().expect("it runs");
        keeper.stdin.take().expect("a pipe").write_all(b"keep\n").expect("the keeper listens");
        keeper.wait().expect("the keeper ends");
    }

    /// Sends the server's first process a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid.to_string()).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A new database's name.
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("store{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        name
    }

    /// A database's address, with the password.
    pub fn url(&self, database: &str) -> String {
        Self::url_at(self.port, database)
    }

    /// The same, through a line's port.
    pub fn url_at(port: u16, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/{database}")
    }

    /// Runs a statement, and gives its rows back as lines of columns with `|` between them.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.try_psql(database, sql).unwrap_or_else(|| panic!("{sql} does not run"))
    }

    /// Everything in a database, as a backup holds it.
    pub fn dump(&self, database: &str) -> Vec<u8> {
        let mut dump = Command::new("pg_dump");
        dump.args(["-h", "127.0.0.1", "-U", USER, "-p", &self.port.to_string(), database]).env("PGPASSWORD", PASSWORD);
        let done = dump.output().expect("pg_dump runs (apt-get install postgresql-15)");
        assert!(done.status.success(), "{done:?}");
        done.stdout
    }

    fn try_psql(&self, database: &str, sql: &str) -> Option<String> {
        let mut psql = Command::new("psql");
        psql.args(["-h", "127.0.0.1", "-U", USER, "-p", &self.port.to_string(), "-d", database]);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]).env("PGPASSWORD", PASSWORD);
        let done = psql.output().expect("psql runs (apt-get install postgresql-15)");
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim_end().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match self.keeper.take() {
            Some(mut keeper) => {
                drop(keeper.stdin.take());
                drop(keeper.wait());
            }
            None => drop(fs::remove_dir_all(&self.folder)),
        }
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A command as somebody the server runs as: it refuses root.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

/// Where Debian puts the server's programs, which are on nobody's path.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    let newest = newest.expect("PostgreSQL is installed (cargo xtask setup, or apt-get install postgresql-15)");
    PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"))
}
