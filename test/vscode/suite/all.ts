/** Every file of the suite; both hosts run all of it. */
import './static.suite';
import './check.suite';
import './session.suite';
